//! One declarative form for every layout on the wire.
//!
//! A message is a table: offset, name, type, in the specification's order and
//! words. From that one table come the typed view ([`wire!`](crate::wire!) makes a struct with
//! one accessor a field), the writer of the simulator, the listing that
//! `parallax decode` prints ([`walk`]) and the tables that tests hold against the
//! README of each feed. A view never judges what it reads and can always be listed.
//!
//! Nothing here panics on any input, and nothing here allocates.

/// What was wrong with the bytes, where, and how many bytes were needed and had.
///
/// Small, `Copy` and located; the sentence for people is made at the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireError {
    /// The kind of fault.
    pub kind: ErrorKind,
    /// The layout that was being read.
    pub message: &'static str,
    /// Offset of the fault within the bytes handed in.
    pub offset: usize,
    /// Bytes (or the value) that the layout asked for.
    pub needed: usize,
    /// Bytes (or the value) that were there.
    pub had: usize,
}

/// Named kinds of wire faults. The names are what counters and records show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// The bytes end before the layout does.
    Truncated,
    /// A length on the wire contradicts the layout or the bytes around it.
    BadLength,
    /// A field holds a value that the specification does not allow and that cannot be passed by.
    BadValue,
    /// The packet announces another number of messages than it holds.
    CountMismatch,
    /// The bytes do not begin like this feed's packet at all.
    NotThisFeed,
}

impl ErrorKind {
    /// Every kind, in the order of [`ErrorKind::index`].
    pub const ALL: [ErrorKind; 5] = [
        ErrorKind::Truncated,
        ErrorKind::BadLength,
        ErrorKind::BadValue,
        ErrorKind::CountMismatch,
        ErrorKind::NotThisFeed,
    ];

    /// The name under which it is counted.
    pub const fn name(self) -> &'static str {
        match self {
            ErrorKind::Truncated => "truncated",
            ErrorKind::BadLength => "bad_length",
            ErrorKind::BadValue => "bad_value",
            ErrorKind::CountMismatch => "count_mismatch",
            ErrorKind::NotThisFeed => "not_this_feed",
        }
    }

    /// Position in [`ErrorKind::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl WireError {
    /// The bytes ended early: `needed` bytes of `message` from `offset`, `had` were there.
    #[inline]
    pub const fn truncated(message: &'static str, offset: usize, needed: usize, had: usize) -> Self {
        WireError { kind: ErrorKind::Truncated, message, offset, needed, had }
    }

    /// The same fault, seen from bytes that start `by` earlier.
    #[inline]
    pub const fn shifted(mut self, by: usize) -> Self {
        self.offset += by;
        self
    }
}

impl core::fmt::Display for WireError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let WireError { kind, message, offset, needed, had } = self;
        write!(f, "{} in {message} at byte {offset}: needed {needed}, had {had}", kind.name())
    }
}

/// Byte order of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Most significant byte first.
    Big,
    /// Least significant byte first.
    Little,
}

/// How the bytes of a field are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Unsigned integer of 1 to 8 bytes.
    Uint(Order),
    /// Two's-complement integer of 1 to 8 bytes.
    Int(Order),
    /// A set of flags, listed as one unsigned integer.
    Bits(Order),
    /// One-byte code, kept as it is.
    Char,
    /// Text, padded at the end with spaces or NULs.
    Text,
    /// Number in ASCII digits, listed as the text it is.
    AsciiNumber,
    /// Opaque bytes.
    Bytes,
    /// Reserved or padding: read past, not listed.
    Reserved,
    /// A structure of its own (SBE composite), listed as one object; offsets count from its start.
    Composite(&'static [Row]),
}

/// A field's type: how long it is, how it is read and written.
pub trait Field {
    /// What an accessor answers.
    type Value: Copy + PartialEq + core::fmt::Debug;
    /// Bytes on the wire.
    const LEN: usize;
    /// How [`walk`] lists it.
    const KIND: Kind;
    /// Reads the field; `bytes` has exactly [`Field::LEN`] bytes.
    fn get(bytes: &[u8]) -> Self::Value;
    /// Writes the field; `bytes` has exactly [`Field::LEN`] bytes.
    fn put(value: Self::Value, bytes: &mut [u8]);
}

/// One-byte code.
pub struct Char;
impl Field for Char {
    type Value = u8;
    const LEN: usize = 1;
    const KIND: Kind = Kind::Char;
    #[inline]
    fn get(bytes: &[u8]) -> u8 {
        bytes[0]
    }
    #[inline]
    fn put(value: u8, bytes: &mut [u8]) {
        bytes[0] = value;
    }
}

macro_rules! byte_array {
    ($(#[$m:meta])* $name:ident, $kind:expr) => {
        $(#[$m])*
        pub struct $name<const N: usize>;
        impl<const N: usize> Field for $name<N> {
            type Value = [u8; N];
            const LEN: usize = N;
            const KIND: Kind = $kind;
            #[inline]
            fn get(bytes: &[u8]) -> [u8; N] {
                let mut a = [0; N];
                a.copy_from_slice(bytes);
                a
            }
            #[inline]
            fn put(value: [u8; N], bytes: &mut [u8]) {
                bytes.copy_from_slice(&value);
            }
        }
    };
}
byte_array!(
    /// Text of N bytes, padded at the end.
    Text, Kind::Text
);
byte_array!(
    /// N ASCII digits.
    Digits, Kind::AsciiNumber
);
byte_array!(
    /// N opaque bytes.
    Bytes, Kind::Bytes
);
byte_array!(
    /// N reserved or padding bytes.
    Reserved, Kind::Reserved
);

macro_rules! numbers {
    ($order:expr, $from:ident, $to:ident, $pad:expr; $($name:ident $prim:ty, $wide:ty, $len:literal, $kind:expr;)*) => { $(
        #[doc = concat!("`", stringify!($prim), "` of ", $len, " bytes.")]
        pub struct $name;
        impl Field for $name {
            type Value = $prim;
            const LEN: usize = $len;
            const KIND: Kind = $kind;
            #[inline]
            fn get(bytes: &[u8]) -> $prim {
                let mut a = [0; size_of::<$prim>()];
                let pad = if $pad { size_of::<$prim>() - $len } else { 0 };
                a[pad..pad + $len].copy_from_slice(bytes);
                <$prim>::$from(a)
            }
            #[inline]
            fn put(value: $prim, bytes: &mut [u8]) {
                let pad = if $pad { size_of::<$prim>() - $len } else { 0 };
                bytes.copy_from_slice(&value.$to()[pad..pad + $len]);
            }
        }
    )* };
}

/// Numbers with the most significant byte first.
pub mod be {
    use super::{Field, Kind, Order::Big};
    numbers! { Big, from_be_bytes, to_be_bytes, true;
        U8 u8, u8, 1, Kind::Uint(Big);
        U16 u16, u16, 2, Kind::Uint(Big);
        U24 u32, u32, 3, Kind::Uint(Big);
        U32 u32, u32, 4, Kind::Uint(Big);
        U48 u64, u64, 6, Kind::Uint(Big);
        U64 u64, u64, 8, Kind::Uint(Big);
        I8 i8, i8, 1, Kind::Int(Big);
        I16 i16, i16, 2, Kind::Int(Big);
        I32 i32, i32, 4, Kind::Int(Big);
        I64 i64, i64, 8, Kind::Int(Big);
        Bits8 u8, u8, 1, Kind::Bits(Big);
        Bits16 u16, u16, 2, Kind::Bits(Big);
    }
}

/// Numbers with the least significant byte first.
pub mod le {
    use super::{Field, Kind, Order::Little};
    numbers! { Little, from_le_bytes, to_le_bytes, false;
        U8 u8, u8, 1, Kind::Uint(Little);
        U16 u16, u16, 2, Kind::Uint(Little);
        U24 u32, u32, 3, Kind::Uint(Little);
        U32 u32, u32, 4, Kind::Uint(Little);
        U48 u64, u64, 6, Kind::Uint(Little);
        U64 u64, u64, 8, Kind::Uint(Little);
        I8 i8, i8, 1, Kind::Int(Little);
        I16 i16, i16, 2, Kind::Int(Little);
        I32 i32, i32, 4, Kind::Int(Little);
        I64 i64, i64, 8, Kind::Int(Little);
        Bits8 u8, u8, 1, Kind::Bits(Little);
        Bits16 u16, u16, 2, Kind::Bits(Little);
        Bits32 u32, u32, 4, Kind::Bits(Little);
    }
}

/// One row of a layout: the row of the specification's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Offset from the start of the message, group entry or segment.
    pub offset: usize,
    /// The specification's name, in `snake_case`.
    pub name: &'static str,
    /// Bytes on the wire.
    pub len: usize,
    /// How it is read.
    pub kind: Kind,
}

/// A part of a message behind its first block of rows.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// More plain rows; offsets count from the end of the part before.
    Rows {
        /// Rows that every version has.
        rows: &'static [Row],
        /// Bytes of `rows`.
        len: usize,
    },
    /// A big-endian two-byte length, listed as a field of its own, and as many bytes of text.
    Text16 {
        /// Name under which the length is listed.
        length: &'static str,
        /// Name under which the text is listed.
        name: &'static str,
    },
    /// A repeating group or an optional structure.
    Group(&'static Group),
    /// The last plain rows of a message: later versions append to them.
    Last {
        /// Rows that every version has.
        rows: &'static [Row],
        /// Rows that later versions append; offsets count from the start of this part.
        optional: &'static [Row],
        /// Bytes of `rows`.
        len: usize,
    },
}

/// A repeating group: how its entries are counted and what one holds.
#[derive(Debug)]
pub struct Group {
    /// Name under which the array of entries is listed.
    pub name: &'static str,
    /// How many entries there are and how long one is.
    pub dimension: Dimension,
    /// Rows that every version's entry has.
    pub rows: &'static [Row],
    /// Rows that later versions append to an entry.
    pub optional: &'static [Row],
    /// Bytes of `rows`.
    pub len: usize,
}

/// How a group says how many entries it has and how long each is.
#[derive(Debug, Clone, Copy)]
pub enum Dimension {
    /// SBE group header of `len` bytes: block length (u16 LE) at 0, number of entries (u8) at `count_at`.
    Sbe {
        /// Bytes of the group header.
        len: usize,
        /// Offset of the one-byte count within it.
        count_at: usize,
    },
    /// A one-byte count right before the entries, listed as a field of its own; each entry begins
    /// with a byte that gives its length, that byte included.
    CountThenLengths {
        /// Name under which the count is listed.
        count: &'static str,
    },
    /// A big-endian two-byte count right before entries of fixed length, listed as a field of its own.
    Count16 {
        /// Name under which the count is listed.
        count: &'static str,
    },
    /// One entry, there only when the byte at `at` of the message's first block equals `is`.
    When {
        /// Offset in the message.
        at: usize,
        /// The value that says that the entry is there.
        is: u8,
    },
}

/// A message as declared: the whole table.
#[derive(Debug)]
pub struct Layout {
    /// The specification's name in `snake_case`; what `decode` prints as `type`.
    pub name: &'static str,
    /// Type code or template id on the wire.
    pub tag: u32,
    /// Bytes at the front that are the message's own header and are not listed as fields.
    pub header_len: usize,
    /// Rows that every version has, header included.
    pub rows: &'static [Row],
    /// Rows that later versions append to the first block.
    pub optional: &'static [Row],
    /// Bytes of `rows`.
    pub len: usize,
    /// Groups and what follows them.
    pub parts: &'static [Part],
}

/// The value of one field, as it is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Unsigned integer or set of flags.
    Uint(u64),
    /// Signed integer.
    Int(i64),
    /// One-byte code.
    Char(u8),
    /// Text with trailing spaces and NULs removed.
    Text(&'a [u8]),
    /// Opaque bytes.
    Bytes(&'a [u8]),
}

/// Receives the listing of a message.
pub trait Visitor {
    /// One field.
    fn field(&mut self, name: &'static str, value: Value<'_>);
    /// A group begins; entries follow.
    fn begin_group(&mut self, name: &'static str);
    /// An entry of the group begins.
    fn begin_entry(&mut self);
    /// The entry ends.
    fn end_entry(&mut self);
    /// The group ends.
    fn end_group(&mut self);
    /// A composite field begins: one object, its fields follow. A visitor that ignores it sees them flat.
    fn begin_composite(&mut self, _name: &'static str) {}
    /// The composite ends.
    fn end_composite(&mut self) {}
}

fn uint(bytes: &[u8], order: Order) -> u64 {
    let fold = |n: u64, b: &u8| (n << 8) | u64::from(*b);
    match order {
        Order::Big => bytes.iter().fold(0, fold),
        Order::Little => bytes.iter().rev().fold(0, fold),
    }
}

/// Reads one row; `bytes` has the row's length.
pub fn value<'a>(kind: Kind, bytes: &'a [u8]) -> Option<Value<'a>> {
    Some(match kind {
        Kind::Uint(order) | Kind::Bits(order) => Value::Uint(uint(bytes, order)),
        Kind::Int(order) => {
            let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
            Value::Int(((uint(bytes, order) << unused) as i64) >> unused)
        }
        Kind::Char => Value::Char(*bytes.first()?),
        Kind::Text | Kind::AsciiNumber => Value::Text(trim(bytes)),
        Kind::Bytes => Value::Bytes(bytes),
        Kind::Reserved | Kind::Composite(_) => return None,
    })
}

/// `text` without trailing spaces and NULs.
#[inline]
pub fn trim(text: &[u8]) -> &[u8] {
    let mut end = text.len();
    while end > 0 && (text[end - 1] == b' ' || text[end - 1] == 0) {
        end -= 1;
    }
    &text[..end]
}

fn list_rows(rows: &[Row], block: &[u8], skip: usize, visitor: &mut dyn Visitor) {
    for row in rows {
        if row.offset < skip {
            continue;
        }
        let Some(bytes) = block.get(row.offset..row.offset + row.len) else { continue };
        if let Kind::Composite(inner) = row.kind {
            visitor.begin_composite(row.name);
            list_rows(inner, bytes, 0, visitor);
            visitor.end_composite();
        } else if let Some(value) = value(row.kind, bytes) {
            visitor.field(row.name, value);
        }
    }
}

/// Lists every field of `message`.
///
/// `block_len` is the length of the first block where the message's header says it
/// (SBE's block length plus the header); without it the first block is the declared
/// rows when parts follow, and the whole message when none do.
///
/// # Errors
/// `Truncated` or `BadLength` when the bytes contradict the layout. What was listed
/// before the fault has been handed to the visitor.
pub fn walk(
    layout: &'static Layout,
    message: &[u8],
    block_len: Option<usize>,
    visitor: &mut dyn Visitor,
) -> Result<(), WireError> {
    let default = if layout.parts.is_empty() { message.len() } else { layout.len };
    let block_len = block_len.unwrap_or(default);
    let Some(block) = message.get(..block_len) else {
        return Err(WireError::truncated(layout.name, 0, block_len, message.len()));
    };
    if block.len() < layout.len {
        return Err(WireError::truncated(layout.name, 0, layout.len, block.len()));
    }
    list_rows(layout.rows, block, layout.header_len, visitor);
    list_rows(layout.optional, block, layout.header_len, visitor);
    let mut at = block_len;
    for part in layout.parts {
        at = match part {
            Part::Rows { rows, len } => {
                let end = at + len;
                // A part that an older version does not have ends the message early, on a boundary.
                if at == message.len() {
                    return Ok(());
                }
                let Some(bytes) = message.get(at..end) else {
                    return Err(WireError::truncated(layout.name, at, *len, message.len() - at));
                };
                list_rows(rows, bytes, 0, visitor);
                end
            }
            Part::Text16 { length, name } => walk_text16(length, name, message, at, visitor)?,
            Part::Group(group) => walk_group(group, message, at, visitor)?,
            Part::Last { rows, optional, len } => {
                if at == message.len() {
                    return Ok(());
                }
                if message.len() - at < *len {
                    return Err(WireError::truncated(layout.name, at, *len, message.len() - at));
                }
                list_rows(rows, &message[at..], 0, visitor);
                list_rows(optional, &message[at..], 0, visitor);
                message.len()
            }
        };
    }
    Ok(())
}

/// Where a group's entries lie: their number, the offset of the first, and the length of each
/// (`None` when every entry carries its own).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Entries.
    pub count: usize,
    /// Offset of the first entry.
    pub first: usize,
    /// Bytes of one entry, where all are alike.
    pub stride: Option<usize>,
}

impl Group {
    /// Reads the group's header at `at` of `message`.
    ///
    /// # Errors
    /// `Truncated` when the header is not all there; `BadLength` when an entry is declared shorter than the layout.
    #[inline]
    pub fn extent(&self, message: &[u8], at: usize) -> Result<Extent, WireError> {
        let had = message.len().saturating_sub(at);
        let need = |n: usize| WireError::truncated(self.name, at, n, had);
        match self.dimension {
            Dimension::Sbe { len, count_at } => {
                let header = message.get(at..at + len).ok_or(need(len))?;
                let stride = usize::from(u16::from_le_bytes([header[0], header[1]]));
                let count = usize::from(header[count_at]);
                if count > 0 && stride < self.len {
                    let kind = ErrorKind::BadLength;
                    return Err(WireError {
                        kind,
                        message: self.name,
                        offset: at,
                        needed: self.len,
                        had: stride,
                    });
                }
                Ok(Extent { count, first: at + len, stride: Some(stride) })
            }
            Dimension::CountThenLengths { .. } => {
                let count = usize::from(*message.get(at).ok_or(need(1))?);
                Ok(Extent { count, first: at + 1, stride: None })
            }
            Dimension::Count16 { .. } => {
                let header = message.get(at..at + 2).ok_or(need(2))?;
                let count = usize::from(u16::from_be_bytes([header[0], header[1]]));
                Ok(Extent { count, first: at + 2, stride: Some(self.len) })
            }
            Dimension::When { at: indicator, is } => {
                let there = *message.get(indicator).ok_or(need(indicator + 1))? == is;
                Ok(Extent { count: usize::from(there), first: at, stride: Some(self.len) })
            }
        }
    }

    /// The bytes of the entry at `at`.
    ///
    /// # Errors
    /// `Truncated` when the entry is not all there.
    #[inline]
    pub fn entry<'a>(&self, message: &'a [u8], at: usize, extent: Extent) -> Result<&'a [u8], WireError> {
        let had = message.len().saturating_sub(at);
        let len = match extent.stride {
            Some(stride) => stride,
            None => match message.get(at) {
                Some(len) => usize::from(*len),
                None => return Err(WireError::truncated(self.name, at, 1, had)),
            },
        };
        if len < self.len {
            let kind = ErrorKind::BadLength;
            return Err(WireError { kind, message: self.name, offset: at, needed: self.len, had: len });
        }
        message.get(at..at + len).ok_or(WireError::truncated(self.name, at, len, had))
    }
}

fn walk_group(
    group: &Group,
    message: &[u8],
    at: usize,
    visitor: &mut dyn Visitor,
) -> Result<usize, WireError> {
    // A group that an older version does not have: the message ends on the boundary before it.
    let optional = !matches!(group.dimension, Dimension::When { .. });
    if optional && at == message.len() {
        return Ok(at);
    }
    let extent = group.extent(message, at)?;
    if let Dimension::Count16 { count } = group.dimension {
        visitor.field(count, Value::Uint(extent.count as u64));
    }
    if extent.count == 0 && !optional {
        return Ok(at);
    }
    if let Dimension::CountThenLengths { count } = group.dimension {
        visitor.field(count, Value::Uint(extent.count as u64));
    }
    visitor.begin_group(group.name);
    let mut at = extent.first;
    for _ in 0..extent.count {
        let entry = group.entry(message, at, extent)?;
        visitor.begin_entry();
        list_rows(group.rows, entry, 0, visitor);
        list_rows(group.optional, entry, 0, visitor);
        visitor.end_entry();
        at += entry.len();
    }
    visitor.end_group();
    Ok(at)
}

fn walk_text16(
    length_name: &'static str,
    name: &'static str,
    message: &[u8],
    at: usize,
    visitor: &mut dyn Visitor,
) -> Result<usize, WireError> {
    let had = message.len().saturating_sub(at);
    let length = message.get(at..at + 2).ok_or(WireError::truncated(name, at, 2, had))?;
    let needed = usize::from(u16::from_be_bytes([length[0], length[1]]));
    visitor.field(length_name, Value::Uint(needed as u64));
    let end = at + 2 + needed;
    let text = message.get(at + 2..end).ok_or(WireError::truncated(name, at + 2, needed, had - 2))?;
    visitor.field(name, Value::Text(trim(text)));
    Ok(end)
}

/// Entries of a group in `message`, each as its typed view.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    group: &'static Group,
    message: &'a [u8],
    at: usize,
    left: usize,
    extent: Extent,
}

impl<'a> Entries<'a> {
    /// Starts at the group's header at `at`.
    ///
    /// # Errors
    /// See [`Group::extent`].
    #[inline]
    pub fn new(group: &'static Group, message: &'a [u8], at: usize) -> Result<Self, WireError> {
        if at == message.len() && !matches!(group.dimension, Dimension::When { .. }) {
            let extent = Extent { count: 0, first: at, stride: Some(0) };
            return Ok(Entries { group, message, at, left: 0, extent });
        }
        let extent = group.extent(message, at)?;
        Ok(Entries { group, message, at: extent.first, left: extent.count, extent })
    }

    /// Entries still to come.
    #[inline]
    pub fn left(&self) -> usize {
        self.left
    }

    /// The bytes of the next entry.
    ///
    /// # Errors
    /// See [`Group::entry`].
    #[inline]
    pub fn next_entry(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        if self.left == 0 {
            return Ok(None);
        }
        let entry = self.group.entry(self.message, self.at, self.extent)?;
        self.at += entry.len();
        self.left -= 1;
        Ok(Some(entry))
    }

    /// Passes the remaining entries and answers the offset behind the group.
    ///
    /// # Errors
    /// See [`Group::entry`].
    pub fn end(mut self) -> Result<usize, WireError> {
        while self.next_entry()?.is_some() {}
        Ok(self.at)
    }
}
