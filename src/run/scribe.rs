//! A daemon's messages as rows: what the recorder took is decoded once more, on a thread of its own.
//!
//! The receivers know nothing of it, the recorder hands on copies and never waits, and whoever writes the rows is not
//! waited for either. Lines are arbitrated and instruments named as the receivers do it, with the recording's order and
//! times: a replay of the recording gives the same rows.
//!
//! Packets that wait for another copy or for order are told with the next datagram of their receiver, or at its end.

use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;

use crate::pipeline::messages::MessageRow;
use crate::pipeline::{Feeder, NoShelf, Note};
use crate::source::clock;
use crate::source::recorder::{Arrival, Outflow, Place, Stretch};
use crate::source::{Datagram, Transport};
use crate::store::RowSender;

/// Rows that are handed over at once.
const ROWS: usize = 2_048;
/// Rows that wait for a slow disk at most.
const ROWS_MAX: usize = 1 << 16;
/// Fewer rows are handed over that often.
const BEAT: Duration = Duration::from_millis(500);

/// A receiver, once more.
pub struct Copy {
    /// Lines and instruments; it keeps messages.
    pub feeder: Feeder,
    /// By line of the receiver: channel of the feeder, line of the channel, name.
    pub lines: Vec<(usize, u16, String)>,
}

/// See the module.
pub struct Scribe {
    copies: Vec<Copy>,
    sender: RowSender<MessageRow>,
    /// Of the latest datagram; nobody reads them.
    notes: Vec<Note>,
}

impl Scribe {
    /// For those receivers.
    pub fn new(mut copies: Vec<Copy>, sender: RowSender<MessageRow>) -> Scribe {
        copies.iter_mut().for_each(|copy| copy.feeder.keep_messages());
        Scribe { copies, sender, notes: Vec::new() }
    }

    /// Runs until the recorder has ended.
    pub fn run(mut self, outflow: Outflow) {
        let mut due = clock::monotonic_now() + BEAT;
        loop {
            let now = clock::monotonic_now();
            if now >= due {
                due = now + BEAT;
                self.pass_on(1);
            }
            match outflow.receiver().recv_timeout(due - now) {
                Ok(stretch) => self.take(stretch),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        for copy in &mut self.copies {
            if let Some(rows) = copy.feeder.take_messages() {
                self.sender.send(std::mem::take(rows));
            }
        }
    }

    /// Decodes a stretch.
    fn take(&mut self, stretch: Stretch) {
        let (all, this) = (self.copies.len() as u32, stretch.receiver);
        let Some(copy) = self.copies.get_mut(usize::from(this)) else { return };
        for (place, arrival) in stretch.datagrams() {
            copy.datagram(
                &arrival,
                place.file.wrapping_mul(all).wrapping_add(this.into()),
                place,
                &mut self.notes,
            );
        }
        if let Some(end_ns) = stretch.end_ns {
            copy.finish(end_ns, &mut self.notes);
        }
        stretch.used();
        self.pass_on(ROWS);
    }

    /// Hands over the rows of each receiver that has so many.
    fn pass_on(&mut self, least: usize) {
        for copy in &mut self.copies {
            if let Some(rows) = copy.feeder.take_messages().filter(|rows| rows.len() >= least) {
                self.sender.pass_on(rows, ROWS_MAX);
            }
        }
    }
}

impl Copy {
    fn datagram(&mut self, arrival: &Arrival<'_>, capture: u32, place: Place, notes: &mut Vec<Note>) {
        self.timeouts(arrival.ts_recv_ns, notes);
        let Some((channel, line, name)) = self.lines.get(usize::from(arrival.line)) else { return };
        let datagram = Datagram {
            ts_recv_ns: arrival.ts_recv_ns,
            capture,
            frame: place.frame,
            transport: Transport::Udp,
            source: arrival.source,
            destination: arrival.destination,
            payload: arrival.payload,
            wire_len: arrival.wire_len,
            checksum: 0,
            identification: 0,
            interface: arrival.line.into(),
            interface_name: name,
            lost: arrival.lost,
        };
        self.feeder.on_datagram((*channel, *line), &datagram, &mut NoShelf, notes);
        notes.clear();
    }

    /// Fires the deadlines of the lines up to `now`.
    fn timeouts(&mut self, now: u64, notes: &mut Vec<Note>) {
        while let Some((at, channel)) = self.feeder.next_timeout().filter(|(at, _)| *at <= now) {
            self.feeder.on_timeout(at, channel, &mut NoShelf, notes);
            notes.clear();
        }
    }

    fn finish(&mut self, now: u64, notes: &mut Vec<Note>) {
        self.timeouts(now, notes);
        for channel in 0..self.feeder.channels.len() {
            self.feeder.finish(now, channel, &mut NoShelf, notes);
            notes.clear();
        }
    }
}
