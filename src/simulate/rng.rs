//! The simulator's random numbers: xoshiro256** seeded by splitmix64 (Blackman and Vigna, 2018).
//!
//! Written out here so that a seed means the same bytes on every machine and in every
//! version of every crate. Integers only: no distribution here rounds a float.

/// A stream of random numbers; equal seeds give equal streams.
#[derive(Debug, Clone)]
pub struct Rng {
    state: [u64; 4],
}

/// One step of splitmix64.
const fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Rng {
    /// The stream of `seed` for one `purpose`: streams of different purposes do not disturb each other, so
    /// that a fault added to a scenario leaves the market as it was.
    pub fn new(seed: u64, purpose: u64) -> Rng {
        let mut mix = seed ^ purpose.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        Rng { state: std::array::from_fn(|_| splitmix(&mut mix)) }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True `of_thousand` times out of 1000.
    pub fn chance(&mut self, of_thousand: u64) -> bool {
        self.below(1000) < of_thousand
    }

    /// Exponentially distributed around `mean`, piecewise linear between the powers of two (within 6 % of the
    /// true quantile), at most 64 times `mean`.
    pub fn exponential(&mut self, mean: u64) -> u64 {
        // -log2(u) = k - log2(1 + f) for u = 2^-k (1 + f), and log2(1 + f) is nearly f.
        let u = self.bits() | 1;
        let k = u64::from(u.leading_zeros()) + 1;
        let fraction = (u << (k - 1) << 1) >> 32;
        let log2 = (k << 32) - fraction;
        // ln 2 in 32 bits of fraction.
        const LN2: u128 = 2_977_044_472;
        ((u128::from(log2) * LN2 * u128::from(mean)) >> 64) as u64
    }

    /// How many times in a row the chance `of_thousand` held, at most `max`.
    pub fn run(&mut self, of_thousand: u64, max: u64) -> u64 {
        let mut n = 0;
        while n < max && self.chance(of_thousand) {
            n += 1;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_streams_and_others_differ() {
        let take = |seed, purpose| {
            let mut rng = Rng::new(seed, purpose);
            [rng.bits(), rng.bits(), rng.bits()]
        };
        assert_eq!(take(1, 1), take(1, 1));
        assert_ne!(take(1, 1), take(2, 1));
        assert_ne!(take(1, 1), take(1, 2));
    }

    #[test]
    fn the_generator_is_the_published_one() {
        // xoshiro256** from the state 1, 2, 3, 4: the first outputs of the authors' reference code.
        let mut rng = Rng { state: [1, 2, 3, 4] };
        assert_eq!([rng.bits(), rng.bits(), rng.bits()], [11520, 0, 1_509_978_240]);
    }

    #[test]
    fn the_exponential_has_its_mean_and_its_median() {
        let mut rng = Rng::new(7, 0);
        let mut all: Vec<u64> = (0..100_000).map(|_| rng.exponential(1_000_000)).collect();
        let mean = all.iter().sum::<u64>() / 100_000;
        all.sort_unstable();
        assert!((950_000..1_080_000).contains(&mean), "mean {mean}");
        assert!((650_000..750_000).contains(&all[50_000]), "median {}", all[50_000]);
    }
}
