//! The options at the end of a block: code, length, value, padded to 4 bytes (section 3.5).

/// A list that does not hold what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct DamagedList;

/// Goes through a list of options up to its end mark or its last byte; a damaged list ends with an error.
pub(super) struct OptionList<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> OptionList<'a> {
    pub fn new(bytes: &'a [u8], big_endian: bool) -> Self {
        Self { bytes, big_endian }
    }

    fn half(&self, at: usize) -> u16 {
        let bytes = [self.bytes[at], self.bytes[at + 1]];
        if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }
}

impl<'a> Iterator for OptionList<'a> {
    type Item = Result<(u16, &'a [u8]), DamagedList>;

    fn next(&mut self) -> Option<Self::Item> {
        // The list may end without its end mark.
        if self.bytes.len() < 4 {
            return None;
        }
        let (code, len) = (self.half(0), usize::from(self.half(2)));
        let bytes = std::mem::take(&mut self.bytes);
        let Some(value) = bytes.get(4..4 + len) else { return Some(Err(DamagedList)) };
        if code == 0 {
            return None;
        }
        self.bytes = bytes.get(4 + len.next_multiple_of(4)..).unwrap_or(&[]);
        Some(Ok((code, value)))
    }
}
