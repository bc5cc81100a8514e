//! What a sender sent of what did not come, as far as its own count of its packets tells.

/// What a sender sent of what did not come, by the numbers that it gives its packets (IPv4's identification, where it
/// counts them one by one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Posted {
    /// Whether that can be told.
    pub known: bool,
    /// So many packets were sent and did not come.
    pub packets: u64,
    /// The line of which the rest is said, from 0.
    pub line: usize,
    /// The numbers of the last packet before and of the first one behind.
    pub identifications: [u16; 2],
    /// So many packets in the window that follow each other are counted one by one (or nearly all of so many).
    pub steps: u64,
}

impl Posted {
    /// Nothing was sent.
    pub fn is_none(&self) -> bool {
        self.known && self.packets == 0
    }

    /// Something was sent.
    pub fn is_some(&self) -> bool {
        self.known && self.packets > 0
    }

    /// What the lines say together: that nothing was sent, where each of them says so; that something was, where one says so
    /// and none the contrary.
    pub fn of_all(mut lines: impl Iterator<Item = Posted> + Clone) -> Posted {
        let some = lines.clone().find(Posted::is_some);
        match some {
            Some(some) if !lines.clone().any(|p| p.is_none()) => some,
            None if lines.clone().all(|p| p.is_none()) => lines.next().unwrap_or_default(),
            _ => Posted::default(),
        }
    }
}
