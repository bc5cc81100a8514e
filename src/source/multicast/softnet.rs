//! What the machine dropped before any socket: `/proc/net/softnet_stat`.
//!
//! One row per processor of hexadecimal words. The second word counts packets dropped because the processor's backlog
//! was full; since Linux 5.10 the thirteenth names the processor (net/core/net-procfs.c, `softnet_seq_show`).

use std::collections::BTreeMap;

/// The sum of drops since the first reading.
#[derive(Debug, Default)]
pub(super) struct Softnet {
    last: BTreeMap<u32, u32>,
}

impl Softnet {
    /// Takes a reading of the file; gives the drops since the last one, 0 for the first.
    ///
    /// A processor that is new counts from its first reading; one that went away is kept in mind.
    pub(super) fn read(&mut self, text: &str) -> u64 {
        let mut more = 0;
        for (row, line) in text.lines().enumerate() {
            let mut words = line.split_ascii_whitespace().map(|word| u32::from_str_radix(word, 16));
            let Some(Ok(dropped)) = words.nth(1) else { continue };
            let processor = words.nth(10).and_then(Result::ok).unwrap_or(row as u32);
            if let Some(before) = self.last.insert(processor, dropped) {
                more += u64::from(dropped.wrapping_sub(before));
            }
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_the_growth_of_the_second_word_of_each_processor() {
        let row = |dropped: u32, processor: u32| {
            format!("0001a2b3 {dropped:08x} 00000005 0 0 0 0 0 0 0 00000000 00000007 {processor:08x} 0 0\n")
        };
        let mut softnet = Softnet::default();
        assert_eq!(softnet.read(&(row(7, 0) + &row(0xffff_fffe, 1))), 0);
        assert_eq!(softnet.read(&(row(7, 0) + &row(0xffff_fffe, 1))), 0);
        assert_eq!(softnet.read(&(row(0x11, 0) + &row(3, 1))), 10 + 5);
        // Processor 0 goes, 2 comes, 0 returns.
        assert_eq!(softnet.read(&(row(4, 1) + &row(900, 2))), 1);
        assert_eq!(softnet.read(&(row(0x13, 0) + &row(4, 1) + &row(901, 2))), 2 + 1);
        // Rows of older kernels, and damage.
        let mut old = Softnet::default();
        assert_eq!(old.read("00000001 00000002 00000003\n00000001 00000005\n"), 0);
        assert_eq!(old.read("00000001 00000003 00000003\n00000001 xyz\n\n00000009"), 1);
    }
}
