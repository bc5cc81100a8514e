//! A message as far as it has to be looked at before any field may be read: its type is declared, and its declared bytes
//! are all there. What it says is read by the views of [`super::wire`], whenever somebody wants to know.

use super::wire::MESSAGES;
use crate::wire::{Layout, WireError};

/// Type code → length and position in [`MESSAGES`]; a length of 0 for codes that are not declared.
const DECLARED: [(u8, u8); 256] = {
    let mut table = [(0, 0); 256];
    let mut i = 0;
    while i < MESSAGES.len() {
        assert!(MESSAGES[i].len < 256, "a length is one byte here");
        table[MESSAGES[i].tag as usize] = (MESSAGES[i].len as u8, i as u8);
        i += 1;
    }
    table
};

/// The layout of a type code, however long the message is.
pub(super) fn layout_of(tag: u8) -> Option<&'static Layout> {
    let (len, index) = DECLARED[usize::from(tag)];
    (len > 0).then(|| MESSAGES[usize::from(index)])
}

/// Position in [`MESSAGES`] of a declared type.
#[inline(always)]
pub(super) fn index_of(tag: u8) -> u16 {
    DECLARED[usize::from(tag)].1.into()
}

/// A message of a declared type, long enough for every field.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    index: u8,
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Looks at type and length, and at nothing else; `Ok(None)` for a type that is not declared. Longer messages are
    /// a later version's: what is declared lies where it did.
    ///
    /// # Errors
    /// `Truncated` when the message is shorter than its layout.
    #[inline]
    pub fn read(bytes: &'a [u8]) -> Result<Option<Message<'a>>, WireError> {
        let Some(tag) = bytes.first() else { return Err(WireError::truncated("message_type", 0, 1, 0)) };
        let (len, index) = DECLARED[usize::from(*tag)];
        if len == 0 {
            return Ok(None);
        }
        if bytes.len() < usize::from(len) {
            return Err(short(index, bytes.len()));
        }
        Ok(Some(Message { index, bytes }))
    }

    /// Position of its layout in [`MESSAGES`].
    #[inline]
    pub const fn index(&self) -> u16 {
        self.index as u16
    }

    /// Its layout.
    pub fn layout(&self) -> &'static Layout {
        MESSAGES[usize::from(self.index)]
    }

    /// All of it, for the views.
    #[inline]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

#[cold]
fn short(index: u8, had: usize) -> WireError {
    let layout = MESSAGES[usize::from(index)];
    WireError::truncated(layout.name, 0, layout.len, had)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn type_and_length_decide() {
        for (index, layout) in MESSAGES.iter().enumerate() {
            let mut bytes = vec![0u8; layout.len + 1];
            bytes[0] = layout.tag as u8;
            for whole in [&bytes[..layout.len], &bytes[..]] {
                let message = Message::read(whole).unwrap().expect(layout.name);
                assert_eq!((usize::from(message.index()), message.layout().name), (index, layout.name));
                assert_eq!(message.bytes(), whole);
            }
            let error = Message::read(&bytes[..layout.len - 1]).unwrap_err();
            assert_eq!(error, WireError::truncated(layout.name, 0, layout.len, layout.len - 1));
        }
        assert!(Message::read(b"z").unwrap().is_none());
        assert_eq!(Message::read(b"").unwrap_err().needed, 1);
    }
}
