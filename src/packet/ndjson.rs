//! JSON written straight into bytes: no tree, no formatting machinery, one pass.
//!
//! Text on the wire is Latin-1 and comes out as the same characters in UTF-8.

use feeds::wire::{Value, Visitor};

/// Appends a whole number.
#[inline]
pub fn number(out: &mut Vec<u8>, mut n: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a whole number that may be negative.
#[inline]
pub fn signed(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    number(out, n.unsigned_abs());
}

/// Appends a string of Latin-1 text.
#[inline]
pub fn latin1(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for byte in text {
        match *byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b' '..=b'~' => out.push(*byte),
            byte => unusual(out, byte),
        }
    }
    out.push(b'"');
}

#[cold]
fn unusual(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        0..=0x1F | 0x7F..=0x9F => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        byte => out.extend_from_slice(char::from(byte).encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Appends a string of UTF-8 text.
pub fn utf8(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
            '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' => unusual(out, c as u8),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// Appends a string of hexadecimal digits.
pub fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for byte in bytes {
        out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
    out.push(b'"');
}

/// Appends the fields of a message as the members of an object that has been opened: groups are arrays of objects.
pub struct Fields<'a>(pub &'a mut Vec<u8>);

impl Fields<'_> {
    /// A comma, unless something has just been opened.
    #[inline]
    fn separate(&mut self) {
        if !matches!(self.0.last(), Some(b'{' | b'[')) {
            self.0.push(b',');
        }
    }

    #[inline]
    fn name(&mut self, name: &'static str) {
        self.separate();
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }
}

impl Visitor for Fields<'_> {
    #[inline]
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        self.name(name);
        match value {
            Value::Uint(n) => number(self.0, n),
            Value::Int(n) => signed(self.0, n),
            Value::Char(code) => latin1(self.0, &[code]),
            Value::Text(text) => latin1(self.0, text),
            Value::Bytes(bytes) => hex(self.0, bytes),
        }
    }

    fn begin_group(&mut self, name: &'static str) {
        self.name(name);
        self.0.push(b'[');
    }

    fn begin_entry(&mut self) {
        self.separate();
        self.0.push(b'{');
    }

    fn end_entry(&mut self) {
        self.0.push(b'}');
    }

    fn end_group(&mut self) {
        self.0.push(b']');
    }

    fn begin_composite(&mut self, name: &'static str) {
        self.name(name);
        self.0.push(b'{');
    }

    fn end_composite(&mut self) {
        self.0.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_nest_and_are_separated() {
        let mut out = b"{".to_vec();
        let mut fields = Fields(&mut out);
        fields.field("a", Value::Uint(u64::MAX));
        fields.field("b", Value::Int(i64::MIN));
        fields.begin_group("none");
        fields.end_group();
        fields.begin_group("some");
        for code in [b'"', 0] {
            fields.begin_entry();
            fields.field("c", Value::Char(code));
            fields.field("d", Value::Bytes(&[0xAB, 1]));
            fields.end_entry();
        }
        fields.end_group();
        fields.begin_composite("e");
        fields.field("f", Value::Uint(0));
        fields.end_composite();
        fields.field("g", Value::Text(b"t\xE9\\"));
        out.push(b'}');
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a":18446744073709551615,"b":-9223372036854775808,"none":[],"some":[{"c":"\"","d":"ab01"},{"c":"\u0000","d":"ab01"}],"e":{"f":0},"g":"té\\"}"#
        );
    }

    proptest! {
        #[test]
        fn any_text_is_what_a_json_reader_reads_back(bytes: Vec<u8>, text: String, n: u64, m: i64) {
            let mut out = vec![];
            latin1(&mut out, &bytes);
            let expected: String = bytes.iter().map(|b| char::from(*b)).collect();
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), expected);
            out.clear();
            utf8(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
            out.clear();
            number(&mut out, n);
            prop_assert_eq!(std::str::from_utf8(&out).unwrap(), n.to_string());
            out.clear();
            signed(&mut out, m);
            prop_assert_eq!(std::str::from_utf8(&out).unwrap(), m.to_string());
        }
    }
}
