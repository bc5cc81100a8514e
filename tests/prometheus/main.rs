//! `/metrics` and `/healthz`, and what `tools/` makes of them: rules and dashboard against the names that the page
//! has, and the real Prometheus against the real server.

mod files;
mod health;
mod http;
mod kit;
mod live;
mod page;
mod sockets;
