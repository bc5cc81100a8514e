//! From datagrams to alerts, in packet order: one function for a capture, a live line and a test.
//!
//! ```text
//! datagram → header → line (A/B, gaps) → messages → books → quotes ── notes ──► checks
//! └────────────────────────── feeder ────────────────────────────┘             judge
//! ```
//!
//! It is driven with (now, datagram) and with nothing else: no clock, no file, no socket. What it makes is a
//! function of the datagrams and the configuration. Before a datagram takes effect, every deadline that lies
//! before it fires at its own time.
//!
//! [`Pipeline`] is the two sides in one thread, an [`Intake`] routing captures to lines; a replay may have them in two
//! ([`overlap`]), and live every receiver has a [`Feeder`] and one comparator thread the [`Judge`].

pub mod beat;
pub mod day;
pub mod event_time;
pub mod feeder;
pub mod figures;
pub mod intake;
pub mod judge;
pub mod messages;
pub mod note;
pub mod overlap;
mod packet_sink;
mod quotes;
mod strip;
pub mod tally;
pub mod tape;

use crate::config::Config;
use crate::latency::{Recorder, StageClock};
use crate::source::Datagram;
pub use feeder::{ChannelState, Feeder, NoShelf, Shelf, Stages};
pub use intake::{Intake, Steps};
pub use judge::{Judge, Timed};
pub use note::{Class, Note, Step};

/// How a pipeline is set up beside its configuration.
#[derive(Default)]
pub struct Settings {
    /// Names of the captures, by number.
    pub captures: Vec<String>,
    /// Records of quotes are wanted.
    pub quotes: bool,
    /// Every change of a top of book is wanted as a row.
    pub tape: bool,
    /// Every message is wanted as rows.
    pub messages: bool,
    /// The clocks that time our own stages, one for each side; without them they are not timed.
    pub stages: Option<[Box<dyn StageClock + Send>; 2]>,
    /// Midnight of the day of files of bare messages.
    pub binaryfile_midnight_ns: u64,
    /// Length of the beats at which figures are told, nanoseconds; `None`: no figures are wanted.
    pub figures_every_ns: Option<u64>,
}

/// See the module.
pub struct Pipeline {
    /// Lines and books of all sources.
    pub intake: Intake,
    /// Instruments, quotes, checks.
    pub judge: Judge,
}

impl Pipeline {
    /// A pipeline for the configuration, before any data.
    pub fn new(config: &Config, settings: Settings, recorder: Recorder) -> Self {
        let (stages, clock) = match settings.stages {
            Some([feeder, judge]) => (Stages::Apart(feeder), Some(judge)),
            None => (Stages::Off, None),
        };
        let timed = if clock.is_some() { Timed::Apart } else { Timed::Nothing };
        let judge = Judge::new(config, &settings.captures, recorder, (timed, clock), settings.quotes);
        let midnight_ns = settings.binaryfile_midnight_ns;
        let mut pipeline =
            Pipeline { intake: Intake::new(config, settings.captures, stages, midnight_ns), judge };
        if settings.tape {
            pipeline.judge.keep_tape();
        }
        if settings.messages {
            pipeline.intake.feeder.keep_messages();
        }
        if let Some(every_ns) = settings.figures_every_ns {
            pipeline.intake.feeder.keep_figures(every_ns);
            pipeline.judge.keep_figures(every_ns);
        }
        pipeline
    }

    /// The watch begins, before any datagram: silence counts from here.
    pub fn start(&mut self, now: u64) {
        self.judge.start(self.intake.start(now));
    }

    /// Takes one datagram. Its time is `ts_recv_ns`, but never earlier than what went before.
    pub fn on_datagram(&mut self, datagram: &Datagram<'_>) {
        self.intake.on_datagram(datagram, &mut self.judge);
    }

    /// Fires every deadline up to `now`, in order.
    pub fn advance(&mut self, now: u64) {
        self.intake.advance(now, &mut self.judge);
    }

    /// The data is over.
    pub fn finish(&mut self) {
        let end = self.intake.finish(&mut self.judge);
        self.judge.finish(end);
    }

    /// Lines of alert records since the last call.
    pub fn take_alerts(&mut self) -> &mut Vec<u8> {
        self.judge.take_alerts()
    }

    /// Lines of quote records since the last call.
    pub fn take_quotes(&mut self) -> Option<&mut Vec<u8>> {
        self.judge.take_quotes()
    }

    /// Time of the first and of the latest datagram.
    pub fn span(&self) -> Option<(u64, u64)> {
        self.intake.span()
    }
}

/// What a line is called in recordings and in the daemon.
pub fn line_name(source: &str, channel: &str, line: &str) -> String {
    format!("{source}/{channel}/{line}")
}
