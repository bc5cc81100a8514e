//! Two threads on one cell; few rounds, so that an interpreter gets through them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use crate::seqlock;

const ROUNDS: u64 = if cfg!(miri) { 100 } else { 100_000 };

fn values(n: u64) -> [u64; 15] {
    std::array::from_fn(|at| n * 31 + at as u64)
}

#[test]
fn no_read_is_a_mixture_and_none_runs_backwards() {
    let cell: Arc<Vec<AtomicU64>> = Arc::new((0..16).map(|_| AtomicU64::new(0)).collect());
    seqlock::write(&cell, &values(1));
    let written = Arc::clone(&cell);
    let writer = thread::spawn(move || {
        for n in 2..=ROUNDS {
            seqlock::write(&written, &values(n));
            if n % 8 == 0 {
                thread::yield_now();
            }
        }
    });
    let mut last = 0;
    for _ in 0..ROUNDS {
        let mut found = [0; 15];
        if let Ok(version) = seqlock::read(&cell, &mut found, 10) {
            assert_eq!(found, values(version / 2));
            assert!(version >= last);
            last = version;
        }
    }
    writer.join().expect("the writer ends");
    let mut found = [0; 15];
    assert_eq!(seqlock::read(&cell, &mut found, 1), Ok(2 * ROUNDS));
    assert_eq!(found, values(ROUNDS));
}
