//! What is done with the day. Every part answers a number that depends on all of its work.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read};

use feeds::Feed;
use feeds::event::{Event, Key, Ladder, Side, Sink};
use feeds::feed::{OrderChange, OrderMessage, PacketHeader, PacketKind};
use feeds::moldudp64;
use feeds::nasdaq_itch50::wire as itch;
use feeds::nasdaq_itch50::{Itch50, Message};
use parallax::book::{Applied, Books, Level, Told};

type Part = fn(&[u8], &str, Day) -> io::Result<u64>;

/// By name; all from memory but `file+ahead`, which reads the file as it goes. `ahead` lets the books look ahead.
pub const PARTS: &[(&str, Part)] = &[
    ("framing", framing),
    ("views", views),
    ("fields", fields),
    ("events", events),
    ("two lines", two_lines),
    ("book", book),
    ("ahead", book_ahead),
    ("file+ahead", ahead_from_file),
];

/// Bytes that are read at a time.
const READ: usize = 1 << 16;

/// A header for messages that come without packets.
pub const BARE: PacketHeader = PacketHeader {
    session: 0,
    sequence: 1,
    count: 0,
    kind: PacketKind::Data,
    ts_send_ns: None,
    len: 0,
    sequence_bits: 64,
};

/// Runs `each` over the messages that are all there, and answers where the rest begins.
#[inline]
pub fn walk(bytes: &[u8], mut each: impl FnMut(&[u8])) -> usize {
    let mut at = 0;
    while let Ok(Some(span)) = moldudp64::split(bytes, at) {
        each(&bytes[span.start..span.end]);
        at = span.end;
    }
    at
}

pub fn count(day: &[u8]) -> u64 {
    let mut messages = 0;
    walk(day, |_| messages += 1);
    messages
}

fn framing(day: &[u8], _: &str, _: Day) -> io::Result<u64> {
    let mut sum = 0u64;
    walk(day, |message| sum = sum.wrapping_add(message.len() as u64));
    Ok(sum)
}

/// Every message told by type and length, so that each of its fields can be read; none is.
fn views(day: &[u8], _: &str, _: Day) -> io::Result<u64> {
    let mut sum = 0u64;
    walk(day, |message| match Message::read(message) {
        Ok(Some(message)) => {
            let message = black_box(message);
            sum = sum.wrapping_add(u64::from(message.index()));
        }
        _ => sum += 1 << 40,
    });
    Ok(sum)
}

fn fields(day: &[u8], _: &str, _: Day) -> io::Result<u64> {
    let mut sum = 0u64;
    walk(day, |message| sum = sum.wrapping_add(super::fields::sum_of(message).unwrap_or(1)));
    Ok(sum)
}

fn events(day: &[u8], _: &str, _: Day) -> io::Result<u64> {
    let mut count = 0;
    walk(day, |message| {
        let decoded = Itch50::decode(message, &BARE, &mut |ts: u64, event: Event<'_>| {
            black_box((ts, &event));
            count += 1;
        });
        debug_assert!(decoded.is_ok());
    });
    Ok(count)
}

/// What memory alone asks of a book that finds an order by its id and a level by its symbol: for every message of an order
/// one line of each of two stores, as large as a day's are, read and written; nothing is understood.
fn two_lines(day: &[u8], _: &str, _: Day) -> io::Result<u64> {
    let (mut orders, mut levels) = (vec![[0u64; 8]; 1 << 19], vec![[0u64; 8]; 1 << 16]);
    let mut sum = 0u64;
    walk(day, |message| {
        if let Some(OrderMessage { instrument: slot, change, .. }) = Itch50::order_message(message) {
            let order = change.order;
            let place = order.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 45;
            let line = &mut orders[place as usize];
            line[0] = line[0].wrapping_add(order);
            let level = slot << 3 | order & 7;
            let other = &mut levels[level as usize & ((1 << 16) - 1)];
            other[0] = other[0].wrapping_add(line[0]);
            sum = sum.wrapping_add(1);
        }
    });
    black_box((&orders, &levels));
    Ok(sum)
}

/// Price and quantity of either side's best, zeros where there is none.
pub type Best = [(i64, u64); 2];

#[inline(always)]
pub fn best(books: &Books, slot: u32) -> Best {
    [best_of(books, slot, Side::Bid), best_of(books, slot, Side::Ask)]
}

#[inline(always)]
fn best_of(books: &Books, slot: u32, side: Side) -> (i64, u64) {
    books.best(slot, side).map_or((0, 0), |Level { price, quantity }| (price, quantity))
}

/// The books of a day and what is seen of them.
pub struct Day {
    pub books: Books,
    pub seen: Seen,
    /// The symbol that the last message of an order spoke of.
    pub spoken_of: u32,
}

/// What was seen of the books.
pub struct Seen {
    /// The top of each book, as it was after the last message that was taken by itself.
    tops: Vec<Best>,
    changes: u64,
    pub contradictions: u64,
    /// Made of the best after every message.
    bests: u64,
}

impl Seen {
    /// A message that was taken by itself did that to a side.
    #[inline(always)]
    fn applied(&mut self, books: &Books, (slot, side): (u32, Side), applied: Applied) {
        self.contradictions += u64::from(applied.contradiction.is_some());
        // Looked at and compared as a whole: whether it changed, and which of the two, nobody can foretell.
        let now = best_of(books, slot, side);
        let top = &mut self.tops[slot as usize][side.index()];
        self.changes += u64::from((top.0 ^ now.0) as u64 | (top.1 ^ now.1) != 0);
        *top = now;
    }

    /// A message was taken ahead.
    #[inline(always)]
    fn told(&mut self, said: &Told) {
        self.contradictions += u64::from(said.applied.contradiction.is_some());
        self.changes += u64::from(said.best_changed);
        let Level { price, quantity } = said.best.unwrap_or(Level { price: 0, quantity: 0 });
        self.bests = self.bests.rotate_left(1) ^ price as u64 ^ quantity;
    }
}

/// Takes the events of orders into the books.
impl Sink for Day {
    #[inline(always)]
    fn event(&mut self, _: u64, event: Event<'_>) {
        let (Some(_), Some(Key::Number(slot))) = (OrderChange::of(&event), event.key()) else { return };
        let slot = slot as u32;
        self.spoken_of = slot;
        let applied = self.books.apply(slot, &event);
        // Which side it was is not told; only one can have changed.
        self.seen.applied(&self.books, (slot, Side::Bid), applied);
        self.seen.applied(&self.books, (slot, Side::Ask), Applied { contradiction: None, ..applied });
    }
}

impl Day {
    /// Its books take the memory for so many live orders at first.
    pub fn new(reserve: usize) -> Day {
        let mut books = Books::new();
        books.set_started_whole(true);
        // As a replay's.
        books.grow_in_large_pages();
        books.reserve(reserve);
        let seen = Seen { tops: vec![[(0, 0); 2]; 1 << 16], changes: 0, contradictions: 0, bests: 0 };
        Day { books, seen, spoken_of: 0 }
    }

    /// Takes one message.
    #[inline]
    pub fn take(&mut self, message: &[u8]) {
        let decoded = Itch50::decode(message, &BARE, self);
        debug_assert!(decoded.is_ok());
    }

    fn said(&self) -> u64 {
        black_box(self.seen.bests);
        self.seen.changes + (self.seen.contradictions << 40)
    }
}

fn book(bytes: &[u8], _: &str, mut day: Day) -> io::Result<u64> {
    walk(bytes, |message| {
        day.take(message);
    });
    Ok(day.said())
}

fn ahead_from_file(_: &[u8], path: &str, mut day: Day) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let (mut buffer, mut had) = (vec![0u8; READ], 0);
    loop {
        let more = file.read(&mut buffer[had..])?;
        if more == 0 {
            day.finish();
            return Ok(day.said());
        }
        had += more;
        let done = walk(&buffer[..had], |message| {
            day.take_or_ahead(message);
        });
        buffer.copy_within(done..had, 0);
        had -= done;
    }
}

/// What the books hold along the day, at twenty moments of it.
pub fn memory(bytes: &[u8], mut day: Day) {
    let (mut messages, every) = (0u64, count(bytes).div_ceil(20).max(1));
    walk(bytes, |message| {
        day.take_or_ahead(message);
        messages += 1;
        if messages.is_multiple_of(every) {
            let (live, state) = (day.books.orders_live(), day.books.state_bytes());
            let each = state as f64 / live.max(1) as f64;
            println!("after {messages} messages: {live} live orders, {state} bytes, {each:.1} an order");
        }
    });
}

/// The last state of every symbol, with the columns of the reference.
pub fn final_state(bytes: &[u8], mut day: Day) -> String {
    let mut symbols: Vec<String> = Vec::new();
    walk(bytes, |message| {
        day.take_or_ahead(message);
        if let (Some(b'R'), Ok(directory)) = (message.first(), itch::StockDirectory::read(message)) {
            let at = usize::from(directory.stock_locate());
            symbols.resize(symbols.len().max(at + 1), String::new());
            symbols[at] = String::from_utf8_lossy(&directory.stock()).trim_end().to_owned();
        }
    });
    day.finish();
    let mut out = String::from("locate,symbol,bid,bid_qty,ask,ask_qty,bid_levels,ask_levels,orders\n");
    for (slot, symbol) in symbols.iter().enumerate().filter(|(_, symbol)| !symbol.is_empty()) {
        let slot = slot as u32;
        let [bid, ask] = best(&day.books, slot);
        let levels =
            [Side::Bid, Side::Ask].map(|side| day.books.levels(slot, side, Ladder::Outright).count());
        out += &format!(
            "{slot},{symbol},{},{},{},{},{},{},{}\n",
            bid.0,
            bid.1,
            ask.0,
            ask.1,
            levels[0],
            levels[1],
            day.books.orders_of(slot)
        );
    }
    out
}

/// Messages on their way through the books, which look ahead by themselves.
fn book_ahead(bytes: &[u8], _: &str, mut day: Day) -> io::Result<u64> {
    walk(bytes, |message| day.take_or_ahead(message));
    day.finish();
    Ok(day.said())
}

impl Day {
    /// Takes one message, together with others where it is about an order.
    #[inline(always)]
    pub fn take_or_ahead(&mut self, message: &[u8]) {
        let Some(said) = Itch50::order_message(message) else {
            // About no order: these books are not concerned.
            return self.take(message);
        };
        let Day { books, seen, .. } = self;
        let slot = said.instrument as u32;
        books.take_ahead(
            slot,
            &said.change,
            #[inline(always)]
            |_: &Books, said| seen.told(&said),
        );
    }

    #[inline(never)]
    pub fn finish(&mut self) {
        let Day { books, seen, .. } = self;
        books.finish(|_, said| seen.told(&said));
    }
}
