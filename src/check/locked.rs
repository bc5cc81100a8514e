//! `locked`: bid equal to ask. Judged by the rule of [`super::crossed`].

/// The check's document.
pub const DOCUMENT: &str = "\
locked: bid equal to ask

Definition   As crossed, with the bid equal to the ask. Between venues a locked national best can be a state of the
             market rather than a fault, which is why its severity is info.
Inputs       As crossed.
Parameters   on_delay (25ms), off_delay (5ms).
Opens        When it has lasted on_delay in continuous trading.
Clears       When it has been absent for off_delay, or the quote is no longer comparable.
Held back    As crossed.";
