//! A datagram as a feed's packet, whatever it travelled in.
//!
//! Most datagrams are packets with the feed's own header. A BinaryFILE has none: each of its datagrams is one bare
//! message, numbered by its place in the file. This room knows that difference, so that nobody else needs to; it
//! keeps no state.

pub mod ndjson;

use feeds::feed::{PacketHeader, PacketKind, Span};
use feeds::wire::WireError;
use feeds::{Feed, FeedVisitor};

use crate::config::Group;
use crate::source::{Datagram, Transport};

/// The channel on which a datagram arrived.
pub fn group(datagram: &Datagram<'_>) -> Group {
    match datagram.transport {
        Transport::BinaryFile => Group::File,
        Transport::Udp | Transport::Tcp => Group::Udp(datagram.destination),
    }
}

/// Reads the packet's header.
///
/// # Errors
/// See [`Feed::header`].
#[inline]
pub fn header<F: Feed>(datagram: &Datagram<'_>) -> Result<PacketHeader, WireError> {
    match datagram.transport {
        Transport::BinaryFile => Ok(bare(datagram.frame)),
        Transport::Udp | Transport::Tcp => F::header(datagram.payload),
    }
}

/// The message at `at`, from the header's length on; `None` at the end.
///
/// # Errors
/// See [`Feed::split`].
#[inline]
pub fn split<F: Feed>(datagram: &Datagram<'_>, at: usize) -> Result<Option<Span>, WireError> {
    match datagram.transport {
        Transport::BinaryFile => {
            let end = datagram.payload.len();
            Ok((at < end).then_some(Span { start: at, end }))
        }
        Transport::Udp | Transport::Tcp => F::split(datagram.payload, at),
    }
}

/// How surely the datagram is the feed's, 0 to 100, from its bytes alone.
pub fn recognise<F: Feed>(datagram: &Datagram<'_>) -> u8 {
    match datagram.transport {
        Transport::BinaryFile if !F::INFO.transport.contains("BinaryFILE") => 0,
        Transport::BinaryFile => match F::describe(datagram.payload) {
            Ok(Some(described)) if described.layout.len == datagram.payload.len() => 90,
            _ => 0,
        },
        Transport::Udp | Transport::Tcp => F::recognise(datagram.payload),
    }
}

/// The header that a message of a BinaryFILE would have, were there one.
fn bare(number: u64) -> PacketHeader {
    PacketHeader {
        session: 0,
        sequence: number,
        count: 1,
        kind: PacketKind::Data,
        ts_send_ns: None,
        len: 0,
        sequence_bits: 64,
    }
}

/// [`header`] for a feed that is known at run time only.
pub struct Header<'a, 'd>(pub &'a Datagram<'d>);
impl FeedVisitor for Header<'_, '_> {
    type Output = Result<PacketHeader, WireError>;
    fn visit<F: Feed>(self) -> Self::Output {
        header::<F>(self.0)
    }
}

/// [`recognise`] for a feed that is known at run time only.
pub struct Recognise<'a, 'd>(pub &'a Datagram<'d>);
impl FeedVisitor for Recognise<'_, '_> {
    type Output = u8;
    fn visit<F: Feed>(self) -> u8 {
        recognise::<F>(self.0)
    }
}
