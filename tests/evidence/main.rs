//! `parallax explain`, `evidence` and `verify`, end to end: the real binary on the demo and on altered copies of it.

mod explain;
mod hostile;
mod kit;
mod real;
mod secrets;
mod verify;
