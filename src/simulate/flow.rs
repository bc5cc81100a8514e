//! Order flow in one instrument: what the next order does, and what the matching engine makes of it.
//!
//! The shares of actions, the sizes and the distances from the best are modelled on a real hour of order
//! flow (docs/simulate.md says which and gives the numbers). It knows nothing of wires or of time between
//! actions, and it never leaves a book crossed or locked: what would cross trades.

use feeds::event::Side;

use super::book::{Order, Orders, better};
use super::rng::Rng;

/// One cent in the feed's 4 decimals: the tick of every instrument here.
pub const TICK: u32 = 100;
/// Shares in a round lot of every instrument here.
pub const ROUND_LOT: u64 = 100;

/// What the venue tells its subscribers of one instrument.
#[allow(missing_docs, reason = "a variant's line says what its fields are")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A displayed order; `attributed` ones carry a participant's name.
    Add { order: Order, attributed: bool },
    /// A resting order trades at its price.
    Execute { id: u64, shares: u32, matched: u64 },
    /// A resting order trades at a better price than it showed.
    ExecuteAt { id: u64, shares: u32, matched: u64, price: u32 },
    /// A part of an order is taken back.
    Cancel { id: u64, shares: u32 },
    /// An order is taken back.
    Delete { id: u64 },
    /// An order gives way to another on its side.
    Replace { id: u64, order: Order },
    /// A trade against an order that was never displayed.
    Trade { side: Side, price: u32, shares: u32, matched: u64 },
}

/// Order reference and match numbers, counted over the venue.
#[derive(Debug, Clone)]
pub struct Numbers {
    order: u64,
    matched: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers { order: 10_000, matched: 500 }
    }
}

impl Numbers {
    fn order(&mut self, rng: &mut Rng) -> u64 {
        // Other books of the venue take numbers in between.
        self.order += rng.between(1, 7);
        self.order
    }

    fn matched(&mut self) -> u64 {
        self.matched += 1;
        self.matched
    }
}

/// An instrument at the venue.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Its resting orders.
    pub orders: Orders,
    /// Where the price is headed, in ticks; new orders gather around it.
    anchor: u32,
    anchor_low: u32,
    anchor_high: u32,
    /// Ticks between the anchor and the nearest order that is placed by it.
    half_spread: u32,
    /// Orders that the book tends to hold.
    depth: usize,
}

/// Shares of the actions in thousandths, before adds and deletes find their balance.
const CANCEL: u64 = 6;
const AGGRESSIVE: u64 = 8;
const HIDDEN: u64 = 24;
const REPLACE: u64 = 60;
const ADD: u64 = 440;
/// Orders on a side below which nobody takes any away.
const THIN: usize = 8;

impl Flow {
    /// An instrument that trades around `price` ticks.
    pub fn new(price: u32, half_spread: u32, depth: usize) -> Flow {
        Flow {
            orders: Orders::default(),
            anchor: price,
            anchor_low: price - price / 20,
            anchor_high: price + price / 20,
            half_spread,
            depth,
        }
    }

    /// The anchor wanders at the start of a burst, `steps` ticks either way.
    pub fn wander(&mut self, steps: u32, rng: &mut Rng) {
        let up = rng.chance(500);
        self.anchor = if up { self.anchor + steps } else { self.anchor.saturating_sub(steps) };
        self.anchor = self.anchor.clamp(self.anchor_low, self.anchor_high);
    }

    /// The book with which the session starts: both sides, some levels deep, a round lot at each best.
    pub fn open(&mut self, numbers: &mut Numbers, rng: &mut Rng, out: &mut Vec<Action>) {
        for i in 0..self.depth as u32 {
            let side = if i % 2 == 0 { Side::Bid } else { Side::Ask };
            let away = self.half_spread + (i / 2) / 2 + u32::from(i / 2 % 2 == 1 && rng.chance(300));
            let ticks = if side == Side::Bid { self.anchor - away } else { self.anchor + away };
            let shares = if i < 2 { 200 } else { shares(rng) };
            self.rest(side, ticks * TICK, shares, numbers, rng, out);
        }
    }

    /// One order arrives; what the venue says of it goes to `out`.
    pub fn act(&mut self, numbers: &mut Numbers, rng: &mut Rng, out: &mut Vec<Action>) {
        let roll = rng.below(1000);
        if roll < CANCEL {
            self.cancel(rng, out);
        } else if roll < CANCEL + AGGRESSIVE {
            self.aggress(numbers, rng, out);
        } else if roll < CANCEL + AGGRESSIVE + HIDDEN {
            self.hidden(numbers, rng, out);
        } else if roll < CANCEL + AGGRESSIVE + HIDDEN + REPLACE {
            self.replace(numbers, rng, out);
        } else {
            // The book is drawn to its usual depth: below it more come, above it more go.
            let held = self.orders.all().len() as i64;
            let pull = ((self.depth as i64 - held) * 8).clamp(-200, 200);
            let add = (ADD as i64 + pull) as u64;
            if roll < CANCEL + AGGRESSIVE + HIDDEN + REPLACE + add {
                self.add(numbers, rng, out);
            } else {
                self.delete(numbers, rng, out);
            }
        }
    }

    fn rest(
        &mut self,
        side: Side,
        price: u32,
        shares: u32,
        numbers: &mut Numbers,
        rng: &mut Rng,
        out: &mut Vec<Action>,
    ) {
        let order = Order { id: numbers.order(rng), side, price, shares };
        self.orders.add(order);
        out.push(Action::Add { order, attributed: rng.chance(30) });
    }

    fn add(&mut self, numbers: &mut Numbers, rng: &mut Rng, out: &mut Vec<Action>) {
        let side = if rng.chance(500) { Side::Bid } else { Side::Ask };
        let mut price = self.price_for(side, rng);
        if self.orders.count(side.opposite()) <= THIN {
            price = self.held_back(side, price);
        }
        let left = self.trade_through(side, price, shares(rng), numbers, rng, out);
        if left > 0 {
            self.rest(side, price, left, numbers, rng, out);
        }
    }

    /// A price at which an order of that side comes: mostly at or behind the best, sometimes by the anchor.
    fn price_for(&self, side: Side, rng: &mut Rng) -> u32 {
        let behind = |ticks: u32, away: u32| match side {
            Side::Bid => ticks.saturating_sub(away).max(1),
            Side::Ask => ticks + away,
        };
        let best = self.orders.best(side);
        let ticks = match best {
            Some(best) if rng.chance(800) => {
                let best = best / TICK;
                let opposite = self.orders.best(side.opposite()).map(|p| p / TICK);
                let wide = opposite.is_some_and(|o| o.abs_diff(best) > 1);
                if wide && rng.chance(60) {
                    if side == Side::Bid { best + 1 } else { best - 1 }
                } else {
                    behind(best, rng.run(600, 12) as u32)
                }
            }
            _ => behind(self.anchor, self.half_spread + rng.run(500, 6) as u32),
        };
        ticks * TICK
    }

    /// The price, or the nearest one that does not cross.
    fn held_back(&self, side: Side, price: u32) -> u32 {
        match (side, self.orders.best(side.opposite())) {
            (Side::Bid, Some(ask)) => price.min(ask - TICK),
            (Side::Ask, Some(bid)) => price.max(bid + TICK),
            (_, None) => price,
        }
    }

    /// Trades an incoming order of `side` up to `limit`; answers what is left of it.
    fn trade_through(
        &mut self,
        side: Side,
        limit: u32,
        mut shares: u32,
        numbers: &mut Numbers,
        rng: &mut Rng,
        out: &mut Vec<Action>,
    ) -> u32 {
        while shares > 0 {
            let Some(at) = self.orders.first(side.opposite()) else { break };
            if self.orders.count(side.opposite()) <= THIN / 2 {
                // The rest of a sweep is taken back, or it would cross what is kept.
                return 0;
            }
            let resting = self.orders.all()[at];
            if better(side, resting.price, limit) {
                break;
            }
            let traded = shares.min(resting.shares);
            let (id, matched) = (resting.id, numbers.matched());
            out.push(if rng.chance(20) {
                // Half a tick of improvement for the one who came.
                let half = TICK / 2;
                let price = if side == Side::Bid { resting.price - half } else { resting.price + half };
                Action::ExecuteAt { id, shares: traded, matched, price }
            } else {
                Action::Execute { id, shares: traded, matched }
            });
            self.orders.reduce(at, traded);
            shares -= traded;
        }
        shares
    }

    /// An order that only wants to trade: what is left of it does not rest.
    fn aggress(&mut self, numbers: &mut Numbers, rng: &mut Rng, out: &mut Vec<Action>) {
        let side = if rng.chance(500) { Side::Bid } else { Side::Ask };
        let Some(best) = self.orders.best(side.opposite()) else { return };
        if self.orders.count(side.opposite()) > THIN {
            self.trade_through(side, best, shares(rng), numbers, rng, out);
        }
    }

    fn hidden(&mut self, numbers: &mut Numbers, rng: &mut Rng, out: &mut Vec<Action>) {
        let (Some(bid), Some(ask)) = (self.orders.best(Side::Bid), self.orders.best(Side::Ask)) else {
            return;
        };
        let side = if rng.chance(500) { Side::Bid } else { Side::Ask };
        let price = bid + (ask - bid) / 2;
        out.push(Action::Trade { side, price, shares: shares(rng), matched: numbers.matched() });
    }

    /// An order that is about to go or to change: mostly a young one.
    fn pick(&self, rng: &mut Rng) -> Option<usize> {
        let n = self.orders.all().len() as u64;
        if n == 0 {
            return None;
        }
        Some(if rng.chance(700) { n - 1 - rng.below(n.min(12)) } else { rng.below(n) } as usize)
    }

    fn delete(&mut self, numbers: &mut Numbers, rng: &mut Rng, out: &mut Vec<Action>) {
        let Some(at) = self.pick(rng) else { return };
        if self.orders.count(self.orders.all()[at].side) <= THIN {
            return self.add(numbers, rng, out);
        }
        out.push(Action::Delete { id: self.orders.remove(at).id });
    }

    fn cancel(&mut self, rng: &mut Rng, out: &mut Vec<Action>) {
        let Some(at) = self.pick(rng) else { return };
        let order = self.orders.all()[at];
        if order.shares > 1 {
            let shares = 1 + rng.below(u64::from(order.shares) - 1) as u32;
            self.orders.reduce(at, shares);
            out.push(Action::Cancel { id: order.id, shares });
        }
    }

    fn replace(&mut self, numbers: &mut Numbers, rng: &mut Rng, out: &mut Vec<Action>) {
        let Some(at) = self.pick(rng) else { return };
        let old = self.orders.all()[at];
        // A replacement that would trade is moved to where it does not: it is told as one message.
        let price = self.price_for(old.side, rng);
        let price = self.held_back(old.side, price);
        self.orders.remove(at);
        let order = Order { id: numbers.order(rng), side: old.side, price, shares: shares(rng) };
        self.orders.add(order);
        out.push(Action::Replace { id: old.id, order });
    }
}

/// An order's size: round lots, mostly one; a third odd lots; now and then a mixed one.
fn shares(rng: &mut Rng) -> u32 {
    let shares = match rng.below(100) {
        0..54 => 100,
        54..60 => 200,
        60..64 => 100 * rng.between(3, 9),
        64..66 => 1000,
        66..67 => 100 * rng.between(1, 4) + rng.between(1, 99),
        _ => rng.between(1, 99),
    };
    shares as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_is_never_crossed_or_locked_nor_empty() {
        for seed in 0..20 {
            let (mut rng, mut numbers) = (Rng::new(seed, 0), Numbers::default());
            let mut flow = Flow::new(1000 + 700 * seed as u32, 1 + seed as u32 % 3, 40);
            let mut out = Vec::new();
            flow.open(&mut numbers, &mut rng, &mut out);
            for i in 0..5000 {
                if i % 10 == 0 {
                    flow.wander(rng.below(3) as u32, &mut rng);
                }
                out.clear();
                flow.act(&mut numbers, &mut rng, &mut out);
                let bid = flow.orders.best(Side::Bid).expect("a bid rests");
                let ask = flow.orders.best(Side::Ask).expect("an ask rests");
                assert!(bid < ask, "seed {seed}, action {i}: {bid} {ask}");
                assert!(flow.orders.all().len() < 200);
            }
        }
    }
}
