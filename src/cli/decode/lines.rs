//! A packet's messages as lines.

use feeds::feed::{Decoded, PacketHeader, SequenceUnit};
use feeds::wire::WireError;
use feeds::{Feed, FeedVisitor};

use crate::packet;
use crate::packet::ndjson;
use crate::source::Datagram;

/// What lines of every packet begin with.
#[derive(Debug)]
pub(super) struct Lines {
    /// `{"capture":"x.pcap","frame":` for each capture.
    beginnings: Vec<Vec<u8>>,
}

impl Lines {
    pub fn new(captures: &[String]) -> Self {
        let beginning = |name: &String| {
            let mut out = br#"{"capture":"#.to_vec();
            ndjson::utf8(&mut out, name);
            out.extend_from_slice(br#","frame":"#);
            out
        };
        Lines { beginnings: captures.iter().map(beginning).collect() }
    }

    /// Everything up to the message's number.
    fn beginning(&self, channel: &[u8], datagram: &Datagram<'_>, sequence: Option<u64>) -> Vec<u8> {
        let mut out = self.beginnings[datagram.capture as usize].clone();
        ndjson::number(&mut out, datagram.frame);
        out.extend_from_slice(br#","ts":"#);
        ndjson::number(&mut out, datagram.ts_recv_ns);
        out.extend_from_slice(br#","channel":"#);
        out.extend_from_slice(channel);
        out.extend_from_slice(br#","seq":"#);
        match sequence {
            Some(sequence) => ndjson::number(&mut out, sequence),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(br#","msg":"#);
        out
    }
}

/// Writes a line for each message; answers how many messages the header announces and how many there are, where
/// these differ.
pub(super) struct Packet<'a, 'd> {
    pub lines: &'a Lines,
    /// The channel as JSON.
    pub channel: &'a [u8],
    pub datagram: &'a Datagram<'d>,
    pub out: &'a mut Vec<u8>,
}

impl FeedVisitor for Packet<'_, '_> {
    type Output = Option<(u32, u32)>;

    fn visit<F: Feed>(self) -> Option<(u32, u32)> {
        let Packet { lines, channel, datagram, out } = self;
        let header = match packet::header::<F>(datagram) {
            Ok(header) => header,
            Err(fault) => {
                let beginning = lines.beginning(channel, datagram, None);
                error::<F>(out, &beginning, 0, "packet", &fault);
                return None;
            }
        };
        let beginning = lines.beginning(channel, datagram, Some(header.sequence));
        let (mut at, mut messages) = (header.len, 0u32);
        loop {
            match packet::split::<F>(datagram, at) {
                Ok(Some(span)) if span.end > at => {
                    let message = datagram.payload.get(span.start..span.end).unwrap_or_default();
                    line::<F>(out, &beginning, messages, &header, message, span.start);
                    (at, messages) = (span.end, messages + 1);
                }
                Ok(_) => break,
                Err(fault) => {
                    error::<F>(out, &beginning, messages, "packet", &fault);
                    return None;
                }
            }
        }
        let counted = F::INFO.sequence_unit == SequenceUnit::Message;
        (counted && messages != header.count).then_some((header.count, messages))
    }
}

fn begin<F: Feed>(out: &mut Vec<u8>, beginning: &[u8], number: u32, name: &str) {
    out.extend_from_slice(beginning);
    ndjson::number(out, u64::from(number));
    out.extend_from_slice(br#","feed":""#);
    out.extend_from_slice(F::INFO.name.as_bytes());
    out.extend_from_slice(br#"","type":""#);
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}

fn line<F: Feed>(
    out: &mut Vec<u8>,
    beginning: &[u8],
    number: u32,
    header: &PacketHeader,
    message: &[u8],
    start: usize,
) {
    let layout = match F::describe(message) {
        Ok(Some(described)) => described.layout,
        Ok(None) => return unknown::<F>(out, beginning, number, header, message),
        Err(fault) => return error::<F>(out, beginning, number, "unknown", &fault.shifted(start)),
    };
    let line_at = out.len();
    begin::<F>(out, beginning, number, layout.name);
    out.extend_from_slice(br#","fields":{"#);
    match F::list(message, &mut ndjson::Fields(out)) {
        Ok(_) => out.extend_from_slice(b"}}\n"),
        Err(fault) => {
            out.truncate(line_at);
            error::<F>(out, beginning, number, layout.name, &fault.shifted(start));
        }
    }
}

/// A type that the feed does not declare: its code on the wire and its length instead of fields.
fn unknown<F: Feed>(out: &mut Vec<u8>, beginning: &[u8], number: u32, header: &PacketHeader, message: &[u8]) {
    begin::<F>(out, beginning, number, "unknown");
    let mut nobody = |_: u64, _: feeds::event::Event<'_>| {};
    if let Ok(Decoded::Unknown(code)) = F::decode(message, header, &mut nobody) {
        out.extend_from_slice(br#","code":"#);
        ndjson::number(out, u64::from(code));
    }
    out.extend_from_slice(br#","length":"#);
    ndjson::number(out, message.len() as u64);
    out.extend_from_slice(b"}\n");
}

/// A message, or the rest of a packet, that cannot be read; the offset counts from the datagram's first byte.
fn error<F: Feed>(out: &mut Vec<u8>, beginning: &[u8], number: u32, name: &str, fault: &WireError) {
    begin::<F>(out, beginning, number, name);
    out.extend_from_slice(br#","error":{"name":""#);
    out.extend_from_slice(fault.kind.name().as_bytes());
    out.extend_from_slice(br#"","layout":""#);
    out.extend_from_slice(fault.message.as_bytes());
    out.push(b'"');
    for (name, n) in [("offset", fault.offset), ("needed", fault.needed), ("had", fault.had)] {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        ndjson::number(out, n as u64);
    }
    out.extend_from_slice(b"}}\n");
}
