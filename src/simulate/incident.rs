//! What the venue and the second site do when an incident begins and ends; the SIP's part is in `sip_faults`.

use feeds::event::Side;

use super::faults::{Kind, SourceId};
use super::flow::{Action, TICK};
use super::lines::DIRECT_DELAY_NS;
use super::shown::Effect;
use super::sip::Task;
use super::{BACKUP, MS, Simulator, US, itch};
use crate::simulate::book::Order;

/// Order and match numbers that no order flow uses: it begins far above.
const ORDER_FIRST: u64 = 100;
const MATCH: u64 = 7;
/// How long after its bands went wrong an instrument trades at an absurd price, part of the time until it is paused.
const PRINT_PART: u64 = 2;
/// Parts of a price that are left of it in an absurd trade: of every 10,000 this many.
const PRINT_OF_10_000: u32 = 3;

impl Simulator {
    pub(super) fn incident_begins(&mut self, now_ns: u64, n: usize) {
        let fault = self.faults[n].clone();
        match fault.kind {
            Kind::OldQuotes { .. } => self.sip.send_again(n),
            Kind::WrongBands { percent, after_ns } => {
                for i in self.targets(n) {
                    self.sip.schedule(now_ns, i, Task::Bands { percent });
                    self.sip.schedule(now_ns + after_ns, i, Task::State { code: b'P' });
                }
            }
            Kind::TestData { price } => {
                self.closed = true;
                self.announce(now_ns, None, |h, out| itch::system_event(h, b'E', out));
                for i in 0..self.halted.len() {
                    let effect = Effect::State { source: SourceId::Direct, instrument: i, halted: true };
                    self.collecting.spoken.effects.push(effect);
                }
                for i in self.targets(n) {
                    let task = Task::Test { price, until_ns: fault.to_ns };
                    self.sip.schedule(now_ns + 500 * MS + i as u64 * MS, i, task);
                }
            }
            Kind::PreOpen { ticks } => {
                for i in self.targets(n) {
                    self.trading(now_ns, i, b'Q');
                    self.sip.hear(now_ns, now_ns + DIRECT_DELAY_NS, &[(i, Task::State { code: b'Q' })]);
                    self.stand_through(now_ns, i, ticks);
                }
            }
            _ => {}
        }
    }

    pub(super) fn incident_ends(&mut self, now_ns: u64, n: usize) {
        let fault = self.faults[n].clone();
        match fault.kind {
            Kind::HeartbeatsOnly if fault.source == SourceId::Backup => {
                for (k, spoken) in std::mem::take(&mut self.held_backup).into_iter().enumerate() {
                    self.transmit(BACKUP, now_ns + k as u64 * US, spoken);
                }
            }
            Kind::WrongBands { .. } => {
                for i in self.targets(n) {
                    self.sip.schedule(now_ns, i, Task::Bands { percent: 100 });
                    self.sip.schedule(now_ns, i, Task::State { code: b'T' });
                    self.sip.schedule(now_ns, i, Task::Restate { even_so: true });
                }
            }
            Kind::PreOpen { .. } => {
                for i in self.targets(n) {
                    let out = [Action::Delete { id: ORDER_FIRST + i as u64 }];
                    self.collect(now_ns, i, &out);
                    self.trading(now_ns, i, b'T');
                    let news = [(i, Task::State { code: b'T' }), (i, Task::Restate { even_so: true })];
                    self.sip.hear(now_ns, now_ns + DIRECT_DELAY_NS, &news);
                }
            }
            _ => {}
        }
    }

    /// An order that stands so many ticks through the asks: before the opening nothing trades.
    fn stand_through(&mut self, now_ns: u64, i: usize, ticks: u32) {
        let Some(ask) = self.market.instruments[i].flow.orders.best(Side::Ask) else { return };
        let (id, price) = (ORDER_FIRST + i as u64, ask + ticks * TICK);
        let order = Order { id, side: Side::Bid, price, shares: 200 };
        self.collect(now_ns, i, &[Action::Add { order, attributed: false }]);
    }

    /// A trade at a price that is none.
    pub(super) fn absurd_print(&mut self, now_ns: u64, i: usize) {
        let Some(bid) = self.market.instruments[i].flow.orders.best(Side::Bid) else { return };
        let price = (bid / 10_000 * PRINT_OF_10_000).max(TICK) / TICK * TICK;
        let trade = Action::Trade { side: Side::Bid, price, shares: 100, matched: MATCH };
        self.collect(now_ns, i, &[trade]);
    }
}

/// When the first instrument trades at an absurd price while its bands are wrong.
pub(super) fn print_ns(from_ns: u64, kind: Kind) -> Option<u64> {
    if let Kind::WrongBands { after_ns, .. } = kind { Some(from_ns + after_ns / PRINT_PART) } else { None }
}
