//! The room's tests on plain memory (which Miri runs too) and on files.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use feeds::event::{Side, TradingState};
use proptest::prelude::*;

use super::*;
use crate::market::{Level, Origin, Quality, Quote};

const NOW_NS: u64 = 1_700_000_000_000_000_000;
const PAPERS: Papers<'static> =
    Papers { name: "parallax", source: "direct", feed: "nasdaq-itch-5.0", venue: Some("XNAS") };
const SHAPE: Shape = Shape { slots: 3, levels: 5 };

fn memory(shape: Shape) -> Arc<Vec<AtomicU64>> {
    Arc::new((0..shape.file_words()).map(|_| AtomicU64::new(0)).collect())
}

fn level(price: i64, quantity: u64) -> Level {
    Level { price, quantity }
}

fn image(seed: u64) -> Image {
    let quote = Quote {
        best: [Some(level(-(seed as i64), seed)), Some(level(i64::MAX, u64::MAX))],
        round_lot: [None, Some(level(seed as i64, 3))],
        quality: Quality::Auction,
    };
    let origin = Origin { ts_event_ns: 1, ts_recv_ns: seed, sequence: 3, capture: u32::MAX, frame: 5 };
    let mut image = Image::new(&quote, TradingState::Halted, &origin, 6);
    assert_eq!((image.quote(), image.state()), (quote, TradingState::Halted));
    assert_eq!((image.origin(), image.ts_published_ns()), (origin, 6));
    for n in 0..5 {
        assert!(image.push(Side::Bid, level(seed as i64 - n, 10)));
    }
    assert!(image.push(Side::Ask, level(7, 8)));
    image
}

#[test]
fn what_is_published_is_read() {
    let memory = memory(SHAPE);
    let mut writer = Writer::on(Arc::clone(&memory), &PAPERS, SHAPE, NOW_NS).expect("it fits");
    let reader = Reader::on(Arc::clone(&memory)).expect("it is a book");
    assert_eq!((reader.count(), reader.find("AAPL", Some("XNAS"))), (0, None));
    let aapl = writer.add("AAPL", Some("XNAS")).expect("there is room");
    let best = writer.add("AAPL", None).expect("there is room");
    assert_eq!(reader.count(), 2);
    assert_eq!(reader.find("AAPL", Some("XNAS")), Some(aapl));
    assert_eq!(reader.find("AAPL", None), Some(best));
    assert_eq!(reader.find("AAP", None), None);
    assert_eq!(reader.read(aapl), Err(ReadError::Empty));
    assert_eq!(reader.read(SlotId(2)), Err(ReadError::NoSlot));

    writer.publish(aapl, &image(9));
    assert_eq!(reader.read(aapl), Ok(Read { updates: 1, image: image(9) }));
    assert_eq!(reader.read(best), Err(ReadError::Empty));
    let mut top = image(9);
    top.clear_levels();
    assert_eq!((top.levels(Side::Bid).len(), top.best(Side::Bid)), (0, image(9).best(Side::Bid)));
    assert_eq!(reader.read_top(aapl), Ok(Read { updates: 1, image: top }));
    writer.publish(aapl, &Image::default());
    assert_eq!(reader.read(aapl), Ok(Read { updates: 2, image: Image::default() }));

    let title = reader.title();
    assert_eq!((title.name.as_str(), title.source.as_str()), ("parallax", "direct"));
    assert_eq!((title.feed.as_str(), title.venue.as_deref()), ("nasdaq-itch-5.0", Some("XNAS")));
    assert_eq!((title.shape, title.created_ns), (SHAPE, NOW_NS));
}

#[test]
fn views_without_a_slot_are_counted() {
    let memory = memory(SHAPE);
    let mut writer = Writer::on(Arc::clone(&memory), &PAPERS, SHAPE, NOW_NS).expect("it fits");
    let reader = Reader::on(memory).expect("it is a book");
    assert_eq!(writer.add(&"X".repeat(49), None), None);
    assert_eq!(writer.add("A", Some("TOOLONGMIC")), None);
    assert_eq!(writer.add("", None), None);
    let longest = "X".repeat(48);
    assert_eq!(writer.add(&longest, Some("EIGHTMIC")), Some(SlotId(0)));
    assert_eq!(reader.find(&longest, Some("EIGHTMIC")), Some(SlotId(0)));
    assert!(writer.add("B", None).is_some() && writer.add("C", None).is_some());
    assert_eq!(writer.add("D", None), None);
    assert_eq!((reader.count(), reader.overflow(), writer.overflow()), (3, 4, 4));
}

#[test]
fn a_renamed_view_is_found_by_its_new_name_only() {
    let memory = memory(SHAPE);
    let mut writer = Writer::on(Arc::clone(&memory), &PAPERS, SHAPE, NOW_NS).expect("it fits");
    let reader = Reader::on(memory).expect("it is a book");
    let slot = writer.add("4711", Some("XCME")).expect("there is room");
    assert_eq!(reader.renames(), 0);
    assert!(!writer.rename(slot, &"X".repeat(49), Some("XCME")));
    assert!(!writer.rename(SlotId(1), "ESZ6", Some("XCME")));
    assert!(writer.rename(slot, "ESZ6", Some("XCME")));
    assert_eq!(reader.renames(), 1);
    assert_eq!(reader.find("4711", Some("XCME")), None);
    assert_eq!(reader.find("ESZ6", Some("XCME")), Some(slot));
    let entry = Entry { instrument: "ESZ6".to_owned(), venue: Some("XCME".to_owned()) };
    assert_eq!(reader.entries().collect::<Vec<_>>(), [(slot, entry)]);
}

#[test]
fn the_writers_state_is_a_function_of_its_signs() {
    let memory = memory(SHAPE);
    let mut writer = Writer::on(Arc::clone(&memory), &PAPERS, SHAPE, NOW_NS).expect("it fits");
    let reader = Reader::on(memory).expect("it is a book");
    assert_eq!(reader.writer_state(NOW_NS), WriterState::Alive);
    assert_eq!(reader.writer_state(NOW_NS - 1), WriterState::Alive, "the clock was set back");
    assert_eq!(reader.writer_state(NOW_NS + STALE_AFTER_NS), WriterState::Alive);
    let late = STALE_AFTER_NS + 1;
    assert_eq!(reader.writer_state(NOW_NS + late), WriterState::Stale { age_ns: late });
    writer.heartbeat(NOW_NS + 2);
    assert_eq!(reader.writer_state(NOW_NS + late), WriterState::Alive);
    writer.close(NOW_NS + 3);
    assert_eq!(reader.writer_state(NOW_NS + 4), WriterState::Dead { closed: true });
    assert_eq!(state_of(false, true, NOW_NS, NOW_NS), WriterState::Dead { closed: false });
}

#[test]
fn a_write_that_never_ends_is_torn_and_stays_so() {
    let cell: Vec<AtomicU64> = (0..4).map(AtomicU64::new).collect();
    cell[0].store(7, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(seqlock::read(&cell, &mut [0; 3], 10), Err(seqlock::Torn));
    cell[0].store(8, std::sync::atomic::Ordering::Relaxed);
    let mut values = [0; 3];
    assert_eq!(seqlock::read(&cell, &mut values, 1), Ok(8));
    assert_eq!(values, [1, 2, 3]);
    seqlock::write(&cell, &[4, 5]);
    assert_eq!(seqlock::read(&cell, &mut values, 1), Ok(10));
    assert_eq!(values, [4, 5, 3]);
}

#[test]
fn the_layout_is_the_documented_one() {
    assert_eq!((SHAPE.entry_at(0) * 8, SHAPE.slot_at(0) * 8), (1024, 1280));
    assert_eq!((SHAPE.slot_words() * 8, SHAPE.file_bytes()), (384, 1280 + 3 * 384));
    let page = Shape { slots: 16_384, levels: 5 };
    assert_eq!(page.slot_at(0) * 8, 1024 + 16_384 * 64);
    assert_eq!(page.file_bytes(), 1024 + 16_384 * (64 + 384));
    for levels in 0..=layout::LEVELS_MAX {
        for slots in [1, 2, 3, layout::SLOTS_MAX] {
            let shape = Shape { slots, levels };
            assert!(shape.is_possible());
            assert_eq!(shape.slot_at(0) % 16, 0);
            assert!(shape.slot_words() >= 16 + 4 * levels && shape.slot_words().is_multiple_of(16));
        }
    }
    for (slots, levels) in [(0, 5), (layout::SLOTS_MAX + 1, 5), (1, layout::LEVELS_MAX + 1)] {
        assert!(!Shape { slots, levels }.is_possible());
    }
}

/// What words say to a reader that has just read something else.
fn loaded(words: &[AtomicU64]) -> Result<Image, Unreadable> {
    let mut held = image(9);
    held.load(words);
    held.check(super::image::limits(5)).map(|()| held)
}

#[test]
fn words_that_no_writer_writes_are_told() {
    let stored = || {
        let words: Vec<AtomicU64> = (0..35).map(|_| AtomicU64::new(u64::MAX)).collect();
        image(4).store(&words);
        words
    };
    let words = stored();
    assert_eq!(loaded(&words), Ok(image(4)));
    for (at, value) in [(0, 5), (0, 5 << 8), (0, 11 << 24), (0, 11 << 32), (13, 1 << 32)] {
        let broken = stored();
        broken[at].store(value, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(loaded(&broken), Err(Unreadable), "{at} {value}");
    }
    // A torn read may meet any count: it looks no further than the slot reaches, and no further than there are levels.
    for counts in [6 << 24, 6 << 32, 10 << 24 | 10 << 32, 255 << 24 | 255 << 32] {
        let counted = stored();
        counted[0].store(counts, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(loaded(&counted), Err(Unreadable), "{counts:x}");
        let mut held = image(9);
        held.load(&counted[..34]);
        assert!(held.levels(Side::Bid).len() <= layout::LEVELS_MAX);
    }
}

/// Words that all follow from the first one.
fn related(n: u64) -> [u64; 8] {
    std::array::from_fn(|at| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(at as u32 * 7) ^ at as u64)
}

#[test]
fn two_threads_never_see_a_mixture_or_the_past() {
    let (writes, reads) = if cfg!(miri) { (60, 60) } else { (2_000_000, 2_000_000) };
    let cell: Arc<Vec<AtomicU64>> = Arc::new((0..9).map(|_| AtomicU64::new(0)).collect());
    seqlock::write(&cell, &related(1));
    let written = Arc::clone(&cell);
    let writer = std::thread::spawn(move || {
        for n in 2..=writes {
            seqlock::write(&written, &related(n));
        }
    });
    let (mut last, mut seen) = (0, 0_u64);
    for _ in 0..reads {
        let mut values = [0; 8];
        let Ok(version) = seqlock::read(&cell, &mut values, TRIES) else { continue };
        assert_eq!(values, related(version / 2));
        assert!(version >= last, "{version} after {last}");
        seen += u64::from(version != last);
        last = version;
    }
    writer.join().expect("the writer ends");
    let mut values = [0; 8];
    assert_eq!(seqlock::read(&cell, &mut values, 1), Ok(2 * writes));
    assert!(seen >= 1);
}

fn any_level() -> impl Strategy<Value = Level> {
    (any::<i64>(), any::<u64>()).prop_map(|(price, quantity)| Level { price, quantity })
}

fn any_image() -> impl Strategy<Value = Image> {
    let sides = prop::array::uniform4(prop::option::of(any_level()));
    let ladders = prop::array::uniform2(prop::collection::vec(any_level(), 0..=layout::LEVELS_MAX));
    let times = prop::array::uniform5(any::<u64>());
    (sides, ladders, times, any::<u32>(), 0..5_usize, 0..5_usize).prop_map(
        |([a, b, c, d], ladders, times, capture, quality, state)| {
            let [ts_event_ns, ts_recv_ns, sequence, frame, ts_published_ns] = times;
            let quote = Quote { best: [a, b], round_lot: [c, d], quality: image::QUALITIES[quality] };
            let origin = Origin { ts_event_ns, ts_recv_ns, sequence, capture, frame };
            let mut image = Image::new(&quote, image::STATES[state], &origin, ts_published_ns);
            for (side, ladder) in [Side::Bid, Side::Ask].into_iter().zip(ladders) {
                ladder.into_iter().for_each(|l| assert!(image.push(side, l)));
            }
            assert_eq!((image.quote(), image.state(), image.origin()), (quote, image::STATES[state], origin));
            image
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_image_comes_back_as_it_went(
        images in prop::collection::vec(any_image(), 1..5), levels in 0..=layout::LEVELS_MAX,
    ) {
        let shape = Shape { slots: 1, levels };
        let memory = memory(shape);
        let mut writer = Writer::on(Arc::clone(&memory), &PAPERS, shape, NOW_NS).expect("it fits");
        let reader = Reader::on(memory).expect("it is a book");
        let slot = writer.add("A", None).expect("there is room");
        let mut kept = Image::default();
        for (n, image) in (1..).zip(&images) {
            writer.publish(slot, image);
            let mut expected = *image;
            expected.clear_levels();
            let top = expected;
            for side in [Side::Bid, Side::Ask] {
                image.levels(side).take(levels).for_each(|l| assert!(expected.push(side, l)));
            }
            prop_assert_eq!(reader.read(slot), Ok(Read { updates: n, image: expected }));
            // One image for all reads: nothing of an earlier one may shine through.
            prop_assert_eq!(reader.read_into(slot, &mut kept), Ok(n));
            prop_assert_eq!(kept, expected);
            prop_assert_eq!(reader.read_top_into(slot, &mut kept), Ok(n));
            prop_assert_eq!(kept, top);
        }
    }

    #[test]
    fn any_header_is_read_or_refused(changes in prop::collection::vec((0..128_usize, any::<u64>()), 0..4)) {
        let memory = memory(SHAPE);
        let mut writer = Writer::on(Arc::clone(&memory), &PAPERS, SHAPE, NOW_NS).expect("it fits");
        let slot = writer.add("A", None).expect("there is room");
        writer.publish(slot, &image(3));
        for (at, value) in &changes {
            memory[*at].store(*value, std::sync::atomic::Ordering::Relaxed);
        }
        let untouched = changes.iter().all(|(at, _)| *at > layout::header::FILE_BYTES);
        match Reader::on(memory) {
            Ok(reader) => {
                prop_assert!(reader.count() <= SHAPE.slots);
                prop_assert!(reader.entries().count() <= SHAPE.slots);
                (0..4).for_each(|n| { let _ = reader.read(SlotId(n)); });
            }
            Err(why) => prop_assert!(!untouched, "{}", why),
        }
    }
}
