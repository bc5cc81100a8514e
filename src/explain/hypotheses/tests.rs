//! Facts written by hand, and what each hypothesis makes of them.
