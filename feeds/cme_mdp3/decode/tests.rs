mod events;

use super::*;
use crate::Feed;
use crate::cme_mdp3::{Mdp3, transport, wire};
use crate::feed::{PacketHeader, PacketKind};
use crate::wire::{Dimension, Row, Value, Visitor};
use proptest::prelude::*;
use std::string::{String, ToString};
use std::{format, vec, vec::Vec};

/// A message under construction: the layout's own lengths, or longer ones.
struct Built {
    bytes: Vec<u8>,
    /// Ends of the first block and of each group.
    ends: Vec<usize>,
}

/// A message of `layout` with one entry in each group; `fill` is called for the first block (group 0) and each
/// group's entry and may write to it; blocks and entries are `longer` than declared and end in 0xAB.
fn build(layout: &Layout, version: u16, longer: usize, fill: impl Fn(usize, &[Row], &mut [u8])) -> Built {
    let optional = |rows: &[Row]| rows.iter().map(|r| r.len).sum::<usize>();
    let whole = layout.len + optional(layout.optional);
    let mut bytes = vec![0u8; whole];
    fill(0, layout.rows, &mut bytes);
    bytes.extend(vec![0xAB; longer]);
    let block = (bytes.len() - 10) as u16;
    let mut ends = vec![bytes.len()];
    for (n, part) in layout.parts.iter().enumerate() {
        let Part::Group(group) = part else { panic!("{}: SBE has groups only", layout.name) };
        let Dimension::Sbe { len, count_at } = group.dimension else { panic!("{}", group.name) };
        let mut entry = vec![0u8; group.len + optional(group.optional)];
        fill(n + 1, group.rows, &mut entry);
        entry.extend(vec![0xAB; longer]);
        let mut header = vec![0u8; len];
        header[..2].copy_from_slice(&(entry.len() as u16).to_le_bytes());
        header[count_at] = 1;
        bytes.extend(header);
        bytes.extend(entry);
        ends.push(bytes.len());
    }
    let msg_size = bytes.len() as u16;
    let template_id = layout.tag as u16;
    let header =
        wire::MessageHeaderValues { msg_size, block_length: block, template_id, schema_id: 1, version };
    bytes[..10].copy_from_slice(&header.encode());
    Built { bytes, ends }
}

/// Writes `value` little-endian into the row of that name.
fn put(rows: &[Row], block: &mut [u8], name: &str, value: i128) {
    let row = rows.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("no {name}"));
    block[row.offset..row.offset + row.len].copy_from_slice(&value.to_le_bytes()[..row.len]);
}

/// Makes entries that point at something and are bids, wherever the layout has such fields.
fn sensible(_: usize, rows: &[Row], block: &mut [u8]) {
    for row in rows {
        match row.name {
            "md_entry_type" => block[row.offset] = b'0',
            "reference_id" => block[row.offset] = 1,
            _ => {}
        }
    }
}

fn layouts() -> impl Iterator<Item = (&'static Layout, u16)> {
    MESSAGES.iter().map(|l| (*l, 13)).chain(EARLIER.iter().map(|e| (e.layout, e.below - 1)))
}

fn events(bytes: &[u8]) -> (Result<Decoded, WireError>, Vec<String>) {
    let mut out = vec![];
    let result = decode(bytes, &mut |ts, e: Event<'_>| out.push(format!("{ts} {e:?}")));
    (result, out)
}

#[derive(Default)]
struct Listing(Vec<String>);

impl Visitor for Listing {
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        self.0.push(format!("{name} {value:?}"));
    }
    fn begin_group(&mut self, name: &'static str) {
        self.0.push(format!("{name} ["));
    }
    fn begin_entry(&mut self) {}
    fn end_entry(&mut self) {}
    fn end_group(&mut self) {
        self.0.push("]".to_string());
    }
    fn begin_composite(&mut self, name: &'static str) {
        self.0.push(format!("{name} {{"));
    }
    fn end_composite(&mut self) {
        self.0.push("}".to_string());
    }
}

fn list(bytes: &[u8]) -> Result<Vec<String>, WireError> {
    let mut listing = Listing::default();
    Mdp3::list(bytes, &mut listing).map(|_| listing.0)
}

/// Builds a message of `template` with fields written into the first block and into each group's only entry.
fn message(template: u16, version: u16, fields: &[(usize, &str, i128)]) -> Vec<u8> {
    let layout = MESSAGES[usize::from(INDEX[usize::from(template)])];
    let fill = |part: usize, rows: &[Row], block: &mut [u8]| {
        for (to, name, value) in fields {
            if *to == part {
                put(rows, block, name, *value);
            }
        }
    };
    build(layout, version, 0, fill).bytes
}

#[test]
fn every_template_is_declared_once_under_its_own_name() {
    let mut tags: Vec<_> = MESSAGES.iter().map(|l| l.tag).collect();
    let expected: Vec<u32> = [4, 12, 15, 16, 27, 29, 30, 32, 33, 34, 35, 36, 37, 38, 39, 41, 42, 43, 44]
        .into_iter()
        .chain(46..=69)
        .collect();
    assert_eq!(tags, expected);
    tags.dedup();
    assert_eq!(tags.len(), MESSAGES.len());
    for layout in MESSAGES {
        assert!(layout.name.ends_with(&format!("_{}", layout.tag)), "{}", layout.name);
    }
    for earlier in EARLIER {
        assert_eq!(earlier.layout.name, MESSAGES[usize::from(INDEX[earlier.layout.tag as usize])].name);
    }
}

#[test]
fn every_prefix_of_every_message_is_truncated() {
    for (layout, version) in layouts() {
        let Built { bytes, .. } = build(layout, version, 0, sensible);
        let (result, _) = events(&bytes);
        assert_eq!(result, Ok(Decoded::Message(u16::from(INDEX[layout.tag as usize]))), "{}", layout.name);
        assert!(list(&bytes).is_ok(), "{}", layout.name);
        for n in 0..bytes.len() {
            for error in [events(&bytes[..n]).0.unwrap_err(), list(&bytes[..n]).unwrap_err()] {
                assert_eq!(error.kind, ErrorKind::Truncated, "{} cut at {n}", layout.name);
            }
        }
    }
}

/// Where a message says itself that it is shorter, it may only end before a group (an earlier version's end).
#[test]
fn a_message_that_says_to_be_shorter_may_end_before_a_group() {
    for (layout, version) in layouts() {
        let Built { mut bytes, ends } = build(layout, version, 0, sensible);
        let last = *ends.last().unwrap();
        for n in 10..last {
            bytes[..2].copy_from_slice(&(n as u16).to_le_bytes());
            let (result, out) = events(&bytes[..n]);
            let may_end = ends.contains(&n);
            // Without the entries that it points at, the group of orders is not there either.
            assert_eq!(result.is_ok(), may_end, "{} ends at {n}", layout.name);
            assert_eq!(list(&bytes[..n]).is_ok(), may_end, "{} ends at {n}", layout.name);
            if let Err(error) = result {
                assert_eq!(error.kind, ErrorKind::Truncated);
                assert_eq!(out, Vec::<String>::new(), "no events of a message that does not fit");
            }
        }
    }
}

#[test]
fn longer_blocks_and_entries_of_a_newer_version_are_read_by_the_table() {
    for (layout, version) in layouts() {
        let plain = build(layout, version, 0, sensible).bytes;
        let longer = build(layout, version, 5, sensible).bytes;
        assert!(layout.len == 10 && layout.parts.is_empty() || longer.len() > plain.len());
        assert_eq!(events(&longer), events(&plain), "{}", layout.name);
        assert_eq!(list(&longer), list(&plain), "{}", layout.name);
    }
}

#[test]
fn a_shorter_block_of_an_older_version_lists_what_is_there() {
    for template in [27, 29, 41, 54, 55, 56, 58, 63] {
        let layout = MESSAGES[usize::from(INDEX[template])];
        let Built { bytes, ends } = build(layout, 13, 0, sensible);
        let mut short = bytes[..layout.len].to_vec();
        short.extend(&bytes[ends[0]..]);
        let sizes = [(short.len() as u16).to_le_bytes(), (layout.len as u16 - 10).to_le_bytes()].concat();
        short[..4].copy_from_slice(&sizes);
        let names: Vec<_> = layout.optional.iter().map(|r| format!("{} ", r.name)).collect();
        let appended = |l: &String| names.iter().any(|n| l.starts_with(n));
        let (old, new) = (list(&short).unwrap(), list(&bytes).unwrap());
        assert_eq!(new.iter().filter(|l| appended(l)).count(), names.len(), "{}", layout.name);
        assert_eq!(old, new.into_iter().filter(|l| !appended(l)).collect::<Vec<_>>(), "{}", layout.name);
        assert_eq!(events(&short), events(&bytes), "{}", layout.name);
    }
}

#[test]
fn padding_that_got_a_meaning_is_listed_from_that_version_on() {
    for (template, below, field) in
        [(35, 8, "md_entry_size"), (42, 7, "md_trade_entry_id"), (46, 10, "tradeable_size")]
    {
        let bytes = |version| message(template, version, &[(1, field, 7)]);
        let has = |bytes: &[u8]| list(bytes).unwrap().iter().any(|l| l.starts_with(&format!("{field} ")));
        assert!(has(&bytes(below)), "{template}");
        let mut before = bytes(below);
        before[8..10].copy_from_slice(&(below - 1).to_le_bytes());
        assert!(!has(&before), "{template}");
        assert_eq!(events(&before), events(&bytes(below)), "{template}");
    }
}

#[test]
fn unknown_templates_and_other_schemas_are_named_and_passed_by() {
    let mut bytes = message(12, 13, &[]);
    bytes[4..6].copy_from_slice(&70u16.to_le_bytes());
    assert_eq!(events(&bytes), (Ok(Decoded::Unknown(70)), vec![]));
    bytes[4..6].copy_from_slice(&45u16.to_le_bytes());
    assert_eq!(events(&bytes), (Ok(Decoded::Unknown(45)), vec![]));
    bytes[4..6].copy_from_slice(&12u16.to_le_bytes());
    assert_eq!(events(&bytes).0, Ok(Decoded::Message(1)));
    bytes[6..8].copy_from_slice(&2u16.to_le_bytes());
    assert_eq!(events(&bytes), (Ok(Decoded::Unknown(12)), vec![]));
    assert!(Mdp3::describe(&bytes).unwrap().is_none());
}

#[test]
fn a_message_smaller_than_its_header_has_a_bad_length() {
    let mut bytes = message(12, 13, &[]);
    bytes[0] = 9;
    assert_eq!(events(&bytes).0.unwrap_err().kind, ErrorKind::BadLength);
}

#[test]
fn packets_say_their_number_their_time_and_where_messages_begin() {
    let packet = |number: u32, messages: &[Vec<u8>]| {
        let header =
            wire::PacketHeaderValues { msg_seq_num: number, sending_time: 1_478_961_025_968_234_108 };
        [header.encode().to_vec(), messages.concat()].concat()
    };
    let expected = |sequence, kind, len| PacketHeader {
        session: 0,
        sequence,
        count: 1,
        kind,
        ts_send_ns: Some(1_478_961_025_968_234_108),
        len,
        sequence_bits: 32,
    };
    let (heartbeat, book) = (message(12, 9, &[]), message(46, 9, &events::BOOK));
    let bytes = packet(5615, &[heartbeat.clone(), book.clone()]);
    assert_eq!(transport::header(&bytes), Ok(expected(5615, PacketKind::Data, 12)));
    assert_eq!(transport::header(&packet(1, &[])), Ok(expected(1, PacketKind::Reset, 12)));
    let mut at = 12;
    let mut spans = vec![];
    while let Some(span) = transport::split(&bytes, at).unwrap() {
        spans.push((span.start, span.end));
        at = span.end;
    }
    assert_eq!(spans, [(12, 22), (22, 22 + book.len())]);
    assert_eq!(Mdp3::recognise(&bytes), 98);
    assert_eq!(Mdp3::recognise(&bytes[..bytes.len() - 1]), 0);
    // A sequence number that ends in the encoding type of TCP does not make a TCP packet.
    let bytes = packet(0x0001_CAFE, core::slice::from_ref(&book));
    assert_eq!(transport::header(&bytes), Ok(expected(0x0001_CAFE, PacketKind::Data, 12)));
    let values = wire::TechnicalHeaderValues {
        encoding_type: transport::ENCODING_TYPE,
        msg_seq_num: 8,
        sending_time: 1_478_961_025_968_234_108,
    };
    let bytes = [values.encode().to_vec(), book].concat();
    assert_eq!(transport::header(&bytes), Ok(expected(8, PacketKind::Data, 14)));
    assert_eq!(transport::split(&bytes, 14).unwrap().map(|s| s.end), Some(bytes.len()));
    assert_eq!(Mdp3::recognise(&bytes), 98);
}

#[test]
fn framing_that_contradicts_the_payload_is_an_error() {
    let kind = |bytes: &[u8]| transport::split(bytes, 12).unwrap_err().kind;
    assert_eq!(kind(&[0; 13]), ErrorKind::Truncated);
    assert_eq!(kind(&[0; 24]), ErrorKind::BadLength);
    let mut long = [0; 24];
    long[12] = 13;
    assert_eq!(kind(&long), ErrorKind::Truncated);
    for n in 0..12 {
        assert_eq!(transport::header(&[0; 12][..n]).unwrap_err().kind, ErrorKind::Truncated);
    }
}

/// Runs everything that takes bytes from outside; what comes of it does not matter here.
fn run_all(bytes: &[u8]) {
    let _ = list(bytes);
    let _ = events(bytes);
    let _ = Mdp3::describe(bytes);
    let Ok(header) = Mdp3::header(bytes) else { return };
    let _ = Mdp3::recognise(bytes);
    let mut at = header.len;
    while let Ok(Some(span)) = Mdp3::split(bytes, at) {
        assert!(span.start == at && span.end > at && span.end <= bytes.len());
        let _ = list(&bytes[span.start..span.end]);
        let _ = events(&bytes[span.start..span.end]);
        at = span.end;
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        run_all(&bytes);
    }

    #[test]
    fn spoilt_messages_never_panic(
        which in 0..MESSAGES.len(),
        version in 0u16..15,
        spoil in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut bytes = build(MESSAGES[which], version, 0, sensible).bytes;
        for (at, value) in spoil {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        run_all(&bytes);
        run_all(&[&[0u8; 12][..], &bytes].concat());
    }
}

const README: &str = include_str!("../README.md");

/// The README's tables and the declarations are one fact; this holds them together.
#[test]
fn readme_says_what_the_code_says() {
    crate::wire_readme::hold(README, MESSAGES);
}

/// The README's section of a template, from the table of `group` in it on.
fn group_section(template: u32, group: &str) -> &'static str {
    let section = README.split("\n## ").find(|s| s.starts_with(&format!("{template} "))).unwrap();
    let at = section.find(&format!("Group `{group}`")).unwrap_or_else(|| panic!("{template}: no {group}"));
    let rest = &section[at..];
    rest.split_once("\nGroup ").map_or(rest, |(this, _)| this)
}

#[test]
fn readme_says_what_the_code_says_of_groups() {
    for layout in MESSAGES {
        for part in layout.parts {
            let Part::Group(group) = part else { panic!("{}", layout.name) };
            let mut section = group_section(layout.tag, group.name);
            if let Some((_, other)) = section.split_once("as in ") {
                section = group_section(other.split('.').next().unwrap().parse().unwrap(), group.name);
            }
            for row in group.rows.iter().chain(group.optional) {
                let line = format!("\n| {} | {} | {} |", row.name, row.offset, row.len);
                assert!(section.contains(&line), "{}, {}: no {line:?}", layout.name, group.name);
            }
        }
    }
}

#[test]
fn a_composite_is_listed_as_one_object() {
    let fill = |part: usize, rows: &[Row], block: &mut [u8]| {
        if part == 0 {
            put(
                rows,
                block,
                "maturity_month_year",
                i128::from_le_bytes([0xE0, 7, 6, 255, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            );
        }
    };
    let listing = list(&build(MESSAGES[usize::from(INDEX[54])], 9, 0, fill).bytes).unwrap();
    let at = listing.iter().position(|l| l == "maturity_month_year {").unwrap();
    assert_eq!(
        listing[at + 1..at + 6],
        ["year Uint(2016)", "month Uint(6)", "day Uint(255)", "week Uint(2)", "}"]
    );
}
