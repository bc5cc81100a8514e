//! A receiver's books in shared memory: one file per source, written by the receiver alone.

use feeds::event::{Side, TradingState};

use crate::config::Config;
use crate::market::{
    ChannelMarket, InstrumentId, Level, Quality, Quote, Registry, SourceId, VenueId, View, ViewId, price,
};
use crate::pipeline::Shelf;
use crate::shm::{Image, Papers, Shape, ShmError, SlotId, Writer};
use crate::source::clock;

/// The file of one source.
struct Book {
    writer: Writer,
    /// By the source's view numbers: not seen yet, no room, or its slot.
    slots: Vec<Option<Option<SlotId>>>,
    /// Views of each instrument, for when it gets another name.
    views: Vec<(InstrumentId, VenueId, SlotId)>,
}

/// The files of a receiver.
pub struct Shelves {
    /// By source; only those of this receiver have one.
    books: Vec<Option<Book>>,
    venues: Registry,
    levels: usize,
    /// What is shown next; kept, so that none is made for each.
    image: Image,
}

impl Shelves {
    /// Makes the files of those sources.
    ///
    /// # Errors
    /// A directory that cannot be written, or a daemon of the same name that lives.
    pub fn create(config: &Config, sources: &[usize], now_ns: u64) -> Result<Shelves, ShmError> {
        let mut books: Vec<Option<Book>> = config.sources.iter().map(|_| None).collect();
        let mut levels = 0;
        if let Some(shared) = &config.live.shared_memory {
            levels = shared.levels;
            for at in sources {
                let source = &config.sources[*at];
                let papers = Papers {
                    name: &config.live.run.name,
                    source: &source.name,
                    feed: source.feed.info().name,
                    venue: source.venue.as_deref(),
                };
                let shape = Shape { slots: shared.instruments, levels };
                let writer = Writer::create(&shared.directory, &papers, shape, now_ns)?;
                books[*at] = Some(Book { writer, slots: Vec::new(), views: Vec::new() });
            }
        }
        Ok(Shelves { books, venues: Registry::of(config), levels, image: Image::default() })
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.books.iter().all(Option::is_none)
    }

    /// A sign of life.
    pub fn heartbeat(&mut self, now_ns: u64) {
        self.books.iter_mut().flatten().for_each(|book| book.writer.heartbeat(now_ns));
    }

    /// The end, said in the files.
    pub fn close(self, now_ns: u64) {
        self.books.into_iter().flatten().for_each(|book| book.writer.close(now_ns));
    }

    fn draw(&mut self, view: &View, book: Option<(&ChannelMarket, u32)>) {
        let nothing = Quote { quality: Quality::Ok, ..Quote::default() };
        let quote = view.quote.as_ref().unwrap_or(&nothing);
        self.image.show(quote, state_of(quote.quality), &view.origin, clock::wall_now_ns());
        let Some((market, slot)) = book else { return };
        let decimals = market.decimals(slot);
        for side in [Side::Bid, Side::Ask] {
            market.books().first_levels(slot, side, self.levels, |level| {
                if let Some(price) = price::to_nanos(level.price, decimals) {
                    self.image.push(side, Level { price, quantity: level.quantity });
                }
            });
        }
    }
}

/// The state that a quote's quality tells.
fn state_of(quality: Quality) -> TradingState {
    match quality {
        Quality::Ok => TradingState::Trading,
        Quality::Suspect => TradingState::Unknown,
        Quality::Halted => TradingState::Halted,
        Quality::Auction => TradingState::Auction,
        Quality::Closed => TradingState::Closed,
    }
}

impl Shelf for Shelves {
    fn show(&mut self, id: ViewId, view: &View, registry: &Registry, market: Option<(&ChannelMarket, u32)>) {
        self.draw(view, market);
        let Shelves { books, venues, image, .. } = self;
        let Some(book) = &mut books[usize::from(view.source)] else { return };
        let index = id as usize;
        if book.slots.len() <= index {
            book.slots.resize(index + 1, None);
        }
        let slot = *book.slots[index].get_or_insert_with(|| {
            let name = &registry.get(view.instrument).name;
            let slot = book.writer.add(name, venues.mic(view.venue))?;
            book.views.push((view.instrument, view.venue, slot));
            Some(slot)
        });
        if let Some(slot) = slot {
            book.writer.publish(slot, image);
        }
    }

    fn rename(&mut self, source: SourceId, instrument: InstrumentId, name: &str) {
        let Shelves { books, venues, .. } = self;
        let Some(book) = &mut books[usize::from(source)] else { return };
        for (_, venue, slot) in book.views.iter().filter(|(i, ..)| *i == instrument) {
            book.writer.rename(*slot, name, venues.mic(*venue));
        }
    }
}
