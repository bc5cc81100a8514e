//! Every order that the memory model allows, on cells of two words: no read is a mixture, none runs backwards, and
//! what is published by a count is there. Each model has a broken twin that loom must catch: a model that cannot
//! fail shows nothing.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering, fence};
use loom::thread;

use crate::seqlock::{self, Torn, Word};

struct Modelled(AtomicU64);

impl Word for Modelled {
    fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn store(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    fn store_release(&self, value: u64) {
        self.0.store(value, Ordering::Release);
    }

    fn fence_acquire() {
        fence(Ordering::Acquire);
    }

    fn fence_release() {
        fence(Ordering::Release);
    }

    fn pause() {
        thread::yield_now();
    }
}

fn cell() -> Arc<[Modelled; 3]> {
    Arc::new(std::array::from_fn(|_| Modelled(AtomicU64::new(0))))
}

/// What the `n`th write holds.
fn values(n: u64) -> [u64; 2] {
    [10 + n, 20 + n]
}

/// One writer that writes `writes` times, one reader that reads `reads` times; each read is all of one write, and none
/// is older than the one before.
fn whole_and_forwards(writes: u64, reads: u64, write: fn(&[Modelled], &[u64])) {
    whole_and_forwards_as(writes, reads, write, |cell, found| seqlock::read(cell, found, 1));
}

type Read = fn(&[Modelled], &mut [u64]) -> Result<u64, Torn>;

fn whole_and_forwards_as(writes: u64, reads: u64, write: fn(&[Modelled], &[u64]), read: Read) {
    loom::model(move || {
        let cell = cell();
        let written = Arc::clone(&cell);
        let writer = thread::spawn(move || (1..=writes).for_each(|n| write(&*written, &values(n))));
        let mut last = 0;
        for _ in 0..reads {
            let mut found = [0; 2];
            match read(&*cell, &mut found) {
                Ok(0) => assert_eq!((found, last), ([0, 0], 0)),
                Ok(version) => {
                    assert_eq!(found, values(version / 2));
                    assert!(version >= last);
                    last = version;
                }
                Err(Torn) => {}
            }
        }
        writer.join().expect("the writer ends");
        let mut found = [0; 2];
        assert_eq!(seqlock::read(&*cell, &mut found, 1), Ok(2 * writes));
        assert_eq!(found, values(writes));
    });
}

#[test]
fn one_read_meets_two_writes() {
    whole_and_forwards(2, 1, seqlock::write);
}

#[test]
fn two_reads_meet_two_writes() {
    whole_and_forwards(2, 2, seqlock::write);
}

#[test]
fn a_reader_that_tries_again_gets_through() {
    loom::model(|| {
        let cell = cell();
        let written = Arc::clone(&cell);
        let writer = thread::spawn(move || seqlock::write(&*written, &values(1)));
        let mut found = [0; 2];
        // One write can spoil two tries: the odd version, and words that changed between the looks.
        let version = seqlock::read(&*cell, &mut found, 3);
        assert!(
            version == Ok(0) && found == [0, 0]
                || version == Ok(2) && found == values(1)
                || version == Err(Torn)
        );
        writer.join().expect("the writer ends");
    });
}

#[test]
fn two_readers_agree_with_the_writer() {
    // Three threads have too many orders for all of them; most faults need two or three preemptions.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let cell = cell();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let cell = Arc::clone(&cell);
                thread::spawn(move || {
                    let mut found = [0; 2];
                    match seqlock::read(&*cell, &mut found, 1) {
                        Ok(0) => assert_eq!(found, [0, 0]),
                        Ok(version) => assert_eq!(found, values(version / 2)),
                        Err(Torn) => {}
                    }
                })
            })
            .collect();
        seqlock::write(&*cell, &values(1));
        readers.into_iter().for_each(|r| r.join().expect("the reader ends"));
    });
}

/// Like the directory: an entry is written, then the count is raised; who sees the count sees the entry.
fn counted(raise: fn(&Modelled)) {
    loom::model(move || {
        let (cell, count) = (cell(), Arc::new(Modelled(AtomicU64::new(0))));
        let (written, raised) = (Arc::clone(&cell), Arc::clone(&count));
        let writer = thread::spawn(move || {
            seqlock::write(&*written, &values(1));
            raise(&raised);
        });
        if count.load() == 1 {
            Modelled::fence_acquire();
            let mut found = [0; 2];
            assert_eq!(seqlock::read(&*cell, &mut found, 1), Ok(2));
            assert_eq!(found, values(1));
        }
        writer.join().expect("the writer ends");
    });
}

#[test]
fn what_is_counted_is_there() {
    counted(|count| count.store_release(1));
}

#[test]
#[should_panic(expected = "assertion")]
fn loom_catches_a_count_that_orders_nothing() {
    counted(|count| count.store(1));
}

#[test]
#[should_panic(expected = "assertion")]
fn loom_catches_a_write_without_its_fence() {
    whole_and_forwards(2, 1, |cell, values| {
        let before = cell[0].load();
        cell[0].store(before + 1);
        cell[1..].iter().zip(values).for_each(|(word, value)| word.store(*value));
        cell[0].store_release(before + 2);
    });
}

#[test]
#[should_panic(expected = "assertion")]
fn loom_catches_a_write_that_is_not_announced() {
    whole_and_forwards(2, 1, |cell, values| {
        let before = cell[0].load();
        Modelled::fence_release();
        cell[1..].iter().zip(values).for_each(|(word, value)| word.store(*value));
        cell[0].store_release(before + 2);
    });
}

#[test]
#[should_panic(expected = "assertion")]
fn loom_catches_a_read_without_its_second_look() {
    whole_and_forwards_as(2, 1, seqlock::write, |cell, found| {
        let before = cell[0].load();
        Modelled::fence_acquire();
        found.iter_mut().zip(&cell[1..]).for_each(|(value, word)| *value = word.load());
        if before % 2 == 0 { Ok(before) } else { Err(Torn) }
    });
}

#[test]
#[should_panic(expected = "assertion")]
fn loom_catches_a_read_without_its_second_fence() {
    whole_and_forwards_as(2, 1, seqlock::write, |cell, found| {
        let before = cell[0].load();
        Modelled::fence_acquire();
        found.iter_mut().zip(&cell[1..]).for_each(|(value, word)| *value = word.load());
        if before % 2 == 0 && cell[0].load() == before { Ok(before) } else { Err(Torn) }
    });
}
