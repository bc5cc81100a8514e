//! What a line says that is not believed yet, with the packets that said it.

use super::held::Packet;
use super::{ABSURD_JUMP, BELIEF_RUN, BELIEF_RUN_WEAK, Refusal};
use feeds::feed::PacketHeader;

/// Numbers so small that a numbering has begun not long ago.
const NEAR_BEGINNING: u64 = 1_000;

/// What is doubted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DoubtKind {
    /// Numbers far ahead.
    Jump,
    /// Numbers that the line had left behind; `other_content` when they are known to carry something else now.
    Fall { other_content: bool },
    /// Another session.
    Session,
}

impl DoubtKind {
    /// What the packets are refused for when nothing bears them out.
    pub(super) const fn refusal(self) -> Refusal {
        match self {
            DoubtKind::Jump => Refusal::Jump,
            DoubtKind::Fall { .. } => Refusal::Fall,
            DoubtKind::Session => Refusal::Session,
        }
    }
}

/// A run of packets of one line that say the same unbelievable thing.
#[derive(Debug)]
pub(super) struct Doubt {
    pub(super) kind: DoubtKind,
    pub(super) session: u128,
    /// Numbers on the wire: the run's first and the next.
    first: u64,
    next: u64,
    run: usize,
    /// The packets with messages, to be taken in once they are believed.
    pub(super) packets: Vec<Packet>,
}

impl Doubt {
    pub(super) fn new(kind: DoubtKind, header: &PacketHeader) -> Self {
        let (first, next) = (header.sequence, header.sequence);
        Doubt { kind, session: header.session, first, next, run: 0, packets: Vec::new() }
    }

    /// Whether the packet says what the run says: the same session and, but for a doubted session, numbers that go
    /// on from the run's.
    pub(super) fn goes_on(&self, kind: DoubtKind, header: &PacketHeader) -> bool {
        if self.session != header.session || self.packets.len() >= BELIEF_RUN_WEAK {
            return false;
        }
        match (self.kind, kind) {
            (DoubtKind::Session, DoubtKind::Session) => true,
            (DoubtKind::Jump, DoubtKind::Jump) => {
                header.sequence >= self.next && header.sequence - self.next <= ABSURD_JUMP
            }
            (DoubtKind::Fall { .. }, DoubtKind::Fall { .. }) => header.sequence == self.next,
            _ => false,
        }
    }

    /// Adds a packet that goes on.
    pub(super) fn add(&mut self, header: &PacketHeader, kind: DoubtKind) {
        if kind == (DoubtKind::Fall { other_content: true }) {
            self.kind = kind;
        }
        self.run += 1;
        self.next = header.sequence.saturating_add(u64::from(header.count));
    }

    /// Whether the run alone is enough.
    pub(super) fn bears_out(&self) -> bool {
        let weak = self.kind == DoubtKind::Fall { other_content: false } && self.first > NEAR_BEGINNING;
        self.run >= if weak { BELIEF_RUN_WEAK } else { BELIEF_RUN }
    }

    /// Whether two lines say the same.
    pub(super) fn agrees(&self, other: &Doubt) -> bool {
        let touches = self.first <= other.next && other.first <= self.next;
        let kinds = std::mem::discriminant(&self.kind) == std::mem::discriminant(&other.kind);
        kinds && self.session == other.session && (self.kind == DoubtKind::Session || touches)
    }
}
