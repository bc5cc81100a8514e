//! What a channel counts. Every packet is counted once, and so is every message.

use super::Refusal;

/// One line's counts.
///
/// `packets` = `won + duplicates + late + signs + refused + doubted`, and
/// `messages` = `messages_won + messages_duplicate + messages_late + refused_messages + doubted_messages`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OneLineStatistics {
    /// Packets that arrived.
    pub packets: u64,
    /// Messages they announced.
    pub messages: u64,
    /// Packets of which something was first here.
    pub won: u64,
    /// Messages that were first here: delivered, or held and delivered later.
    pub messages_won: u64,
    /// Packets that brought nothing new, because another line was first or because they came twice.
    pub duplicates: u64,
    /// Messages that had been there before.
    pub messages_duplicate: u64,
    /// Of `duplicates`: packets of which the line repeated something that it had itself brought before.
    pub repeated: u64,
    /// Packets of which something was wanted but came after it had been declared a gap.
    pub late: u64,
    /// Messages that came after they had been declared a gap.
    pub messages_late: u64,
    /// Heartbeats, ends of session and empty packets.
    pub signs: u64,
    /// Refused packets, by [`Refusal`].
    pub refused: [u64; Refusal::ALL.len()],
    /// Refused messages, by [`Refusal`] (those before the start may belong to a packet that was partly of use).
    pub refused_messages: [u64; Refusal::ALL.len()],
    /// Packets in doubt at the moment.
    pub doubted: u64,
    /// Their messages.
    pub doubted_messages: u64,
    /// Packets with smaller numbers than one before them on the line.
    pub out_of_order: u64,
    /// Holes that the line did not fill in time.
    pub losses: u64,
    /// Numbers in them.
    pub messages_lost: u64,
    /// Of them, brought later after all.
    pub messages_lost_late: u64,
    /// When the line's last packet arrived.
    pub last_arrival_ns: u64,
}

/// A channel's counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelStatistics {
    /// Per line.
    pub lines: Vec<OneLineStatistics>,
    /// Packets of lines that the channel does not have.
    pub unknown_line: u64,
    /// Messages delivered.
    pub delivered: u64,
    /// Gaps declared.
    pub gaps: u64,
    /// Numbers in them.
    pub missing: u64,
    /// Of them, brought too late.
    pub filled_late: u64,
    /// Numbers that were missing for a while and came in time.
    pub recovered: u64,
    /// Holes seen, whatever became of them.
    pub holes: u64,
    /// Gaps that are no longer remembered, so that a late fill of them counts as a duplicate.
    pub gaps_forgotten: u64,
    /// Changes of session.
    pub session_changes: u64,
    /// Sequence resets within a session.
    pub resets: u64,
    /// Doubts begun about numbers or sessions.
    pub doubts: u64,
    /// Messages that wait behind a hole at the moment.
    pub held: u64,
}
