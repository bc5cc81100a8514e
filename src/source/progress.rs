//! Shows people how far reading is, on a terminal's standard error and nowhere else.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::merge::Captures;

/// Datagrams between two looks at the progress: a look costs more than a datagram.
const DATAGRAMS_PER_LOOK: u32 = 4096;

/// A progress bar with rate and time left. Draws nothing when standard error is no terminal.
#[derive(Debug)]
pub struct ProgressReporter {
    bar: ProgressBar,
    until_look: u32,
}

impl ProgressReporter {
    /// A reporter for captures that are about to be read; `shown` is the user's choice.
    pub fn new(captures: &Captures, shown: bool) -> Self {
        let (_, total) = captures.progress();
        // indicatif hides the bar by itself when standard error is not a terminal.
        let target = if shown { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target);
        let template = match total {
            Some(_) => "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left {msg}",
            None => "{spinner} {bytes} {bytes_per_sec} {elapsed} {msg}",
        };
        // The templates above are constant and valid; a style that fails to parse is no reason to stop.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, until_look: DATAGRAMS_PER_LOOK }
    }

    /// To be called once per datagram; cheap.
    #[inline]
    pub fn tick(&mut self, captures: &Captures) {
        self.until_look -= 1;
        if self.until_look == 0 {
            self.until_look = DATAGRAMS_PER_LOOK;
            self.look(captures);
        }
    }

    fn look(&self, captures: &Captures) {
        if self.bar.is_hidden() {
            return;
        }
        let datagrams: u64 = captures.counts().iter().map(|counts| counts.datagrams).sum();
        self.bar.set_position(captures.progress().0);
        self.bar.set_message(format!("{datagrams} datagrams"));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
