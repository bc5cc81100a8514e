//! Reads an archive that anybody may have made: everything in it is bounded before it is believed.
//!
//! Only what [`super::zip`] writes is read: stored or deflated entries, no zip64, no encryption, no comment. Names are
//! those of this format; nothing is written anywhere by this file.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};

use flate2::{Crc, read::DeflateDecoder};

/// Entries of an archive at most.
const ENTRIES_MAX: usize = 256;
/// Bytes of its central directory at most.
const DIRECTORY_MAX: u64 = 1 << 20;
/// An archive that claims to unpack to more than so many times its size (and a megabyte) is refused.
const EXPANSION_MAX: u64 = 100;
const END_LEN: u64 = 22;

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// What reading says.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Where its files were to go.
    #[error("what is in it cannot be written to a temporary folder ({0}); TMPDIR names another")]
    Taken(io::Error),
    /// It is none, or not one that we write.
    #[error("{0}")]
    Format(String),
}

fn bad(sentence: impl Into<String>) -> ZipError {
    ZipError::Format(sentence.into())
}

/// A file of the archive.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its length, as the directory says.
    pub bytes: u64,
    packed: u64,
    offset: u64,
    crc: u32,
    deflated: bool,
}

/// An archive.
#[derive(Debug)]
pub struct ZipReader<R> {
    input: R,
    entries: Vec<Entry>,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

/// Whether a name is one that this format may use: no way out of a folder, nothing that a file system reads otherwise.
fn is_plain(name: &str) -> bool {
    let part = |p: &str| {
        !p.is_empty()
            && !p.starts_with('.')
            && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    name.len() <= 100 && name.split('/').count() <= 2 && name.split('/').all(part)
}

impl<R: Read + Seek> ZipReader<R> {
    /// Reads the directory.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn new(mut input: R) -> Result<Self, ZipError> {
        let len = input.seek(SeekFrom::End(0))?;
        if len < END_LEN {
            return Err(bad(format!(
                "{len} bytes are no evidence file: it is an archive that `parallax evidence` writes"
            )));
        }
        let mut end = [0; END_LEN as usize];
        input.seek(SeekFrom::Start(len - END_LEN))?;
        input.read_exact(&mut end)?;
        if !end.starts_with(b"PK\x05\x06") {
            return Err(bad("it does not end as an archive of ours does: it is cut off, or another file"));
        }
        let (count, size, start) =
            (u16_at(&end, 10), u64::from(u32_at(&end, 12)), u64::from(u32_at(&end, 16)));
        if usize::from(count) > ENTRIES_MAX || size > DIRECTORY_MAX {
            return Err(bad(format!(
                "it claims {count} files in {size} bytes of directory: at most {ENTRIES_MAX} are believed"
            )));
        }
        if start + size != len - END_LEN {
            return Err(bad(format!(
                "its directory of {size} bytes at {start} is not where it ends ({len} bytes)"
            )));
        }
        let mut directory = vec![0; size as usize];
        input.seek(SeekFrom::Start(start))?;
        input.read_exact(&mut directory)?;
        let entries = entries(&directory, usize::from(count), start)?;
        let total: u64 = entries.iter().map(|e| e.bytes).sum();
        if total > len.saturating_mul(EXPANSION_MAX).saturating_add(1 << 20) {
            return Err(bad(format!("{len} bytes claim to unpack to {total}: no evidence does")));
        }
        Ok(ZipReader { input, entries })
    }

    /// Its files, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether a file of that name is in it.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|e| e.name == name)
    }

    /// Hands the bytes of a file to `to`, piece by piece.
    ///
    /// # Errors
    /// An entry that is not what the directory says, and what `to` says.
    pub fn read(
        &mut self,
        index: usize,
        to: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ZipError> {
        let entry = self.entries[index].clone();
        let name = &entry.name;
        let mut header = [0; 30];
        self.input.seek(SeekFrom::Start(entry.offset))?;
        self.input.read_exact(&mut header)?;
        let name_len = u16_at(&header, 26);
        if !header.starts_with(b"PK\x03\x04")
            || usize::from(name_len) != name.len()
            || u16_at(&header, 28) != 0
        {
            return Err(bad(format!("{name} does not begin where the directory says")));
        }
        let mut own = vec![0; name.len()];
        self.input.read_exact(&mut own)?;
        if own != name.as_bytes() {
            return Err(bad(format!("{name} is called otherwise where it lies")));
        }
        let packed = (&mut self.input).take(entry.packed);
        let mut reader: Box<dyn Read> =
            if entry.deflated { Box::new(DeflateDecoder::new(packed)) } else { Box::new(packed) };
        let (mut crc, mut total) = (Crc::new(), 0u64);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(bad(format!("{name} is damaged: {error}"))),
            };
            if read == 0 {
                break;
            }
            total += read as u64;
            if total > entry.bytes {
                return Err(bad(format!("{name} unpacks to more than the {} bytes it claims", entry.bytes)));
            }
            crc.update(&buffer[..read]);
            to(&buffer[..read]).map_err(ZipError::Taken)?;
        }
        if total != entry.bytes || crc.sum() != entry.crc {
            return Err(bad(format!(
                "{name} is damaged: {total} bytes of {}, or another checksum",
                entry.bytes
            )));
        }
        Ok(())
    }

    /// The bytes of a small file.
    ///
    /// # Errors
    /// As [`ZipReader::read`]; a file that is missing or larger than `most`.
    pub fn bytes(&mut self, name: &str, most: u64) -> Result<Vec<u8>, ZipError> {
        let index = self.find(name).ok_or_else(|| bad(format!("{name} is not in it")))?;
        if self.entries[index].bytes > most {
            return Err(bad(format!(
                "{name} has {} bytes: at most {most} are read",
                self.entries[index].bytes
            )));
        }
        let mut out = Vec::new();
        self.read(index, &mut |bytes| {
            out.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(out)
    }
}

fn entries(directory: &[u8], count: usize, until: u64) -> Result<Vec<Entry>, ZipError> {
    let mut out: Vec<Entry> = Vec::new();
    let mut names = BTreeSet::new();
    let mut at = 0;
    for number in 1..=count {
        let head = directory.get(at..at + 46).filter(|h| h.starts_with(b"PK\x01\x02"));
        let head =
            head.ok_or_else(|| bad(format!("file {number} of {count} of its directory is cut off")))?;
        let name_len = usize::from(u16_at(head, 28));
        let extra = usize::from(u16_at(head, 30)) + usize::from(u16_at(head, 32));
        let name = directory.get(at + 46..at + 46 + name_len).and_then(|n| std::str::from_utf8(n).ok());
        let name = name.filter(|n| is_plain(n) && extra == 0);
        let name = name
            .ok_or_else(|| bad(format!("file {number} of {count} has a name that no evidence file uses")))?;
        let method = u16_at(head, 10);
        if !matches!(method, 0 | 8) || u16_at(head, 8) & 1 != 0 {
            return Err(bad(format!(
                "{name} is packed in a way (method {method}) that no evidence file uses"
            )));
        }
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(bad(format!("{name} is in it twice")));
        }
        let entry = Entry {
            name: name.to_owned(),
            crc: u32_at(head, 16),
            packed: u64::from(u32_at(head, 20)),
            bytes: u64::from(u32_at(head, 24)),
            offset: u64::from(u32_at(head, 42)),
            deflated: method == 8,
        };
        let end = entry.offset + 30 + name_len as u64 + entry.packed;
        if end > until || !entry.deflated && entry.bytes != entry.packed {
            return Err(bad(format!("{name} reaches beyond the archive")));
        }
        at += 46 + name_len;
        out.push(entry);
    }
    if at != directory.len() {
        return Err(bad("its directory holds more than it counts"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::zip::ZipWriter;
    use super::*;
    use proptest::prelude::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Vec::new());
        for (name, bytes) in files {
            zip.add(name, *bytes).unwrap();
        }
        zip.finish().unwrap()
    }

    fn refused(bytes: Vec<u8>) -> String {
        let mut zip = match ZipReader::new(Cursor::new(bytes)) {
            Ok(zip) => zip,
            Err(error) => return error.to_string(),
        };
        (0..zip.entries().len())
            .find_map(|i| zip.read(i, &mut |_| Ok(())).err())
            .expect("refused")
            .to_string()
    }

    #[test]
    fn what_is_written_is_read_and_the_bytes_are_the_same_every_time() {
        let files: [(&str, &[u8]); 3] =
            [("a.txt", b"abc"), ("captures/01.pcapng", &[7; 100_000]), ("empty", b"")];
        let bytes = archive(&files);
        assert_eq!(bytes, archive(&files));
        let mut zip = ZipReader::new(Cursor::new(bytes)).unwrap();
        for (name, wanted) in files {
            assert_eq!(zip.bytes(name, 1 << 20).unwrap(), wanted, "{name}");
        }
        assert!(zip.bytes("b.txt", 9).unwrap_err().to_string().contains("b.txt is not in it"));
        assert!(zip.bytes("a.txt", 2).unwrap_err().to_string().contains("at most 2"));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../a", "/etc/passwd", "a/../b", "a/b/c", "c:\\x", "a//b", ".hidden", "caf\u{e9}"] {
            let told = refused(archive(&[(name, b"x")]));
            assert!(told.contains("a name that no evidence file uses"), "{name}: {told}");
        }
        let told = refused(archive(&[("a.txt", b"x"), ("A.TXT", b"y")]));
        assert!(told.contains("is in it twice"), "{told}");
    }

    #[test]
    fn what_claims_too_much_is_refused_before_it_is_unpacked() {
        let told = refused(archive(&[("bomb", &[0; 3_000_000])]));
        assert!(told.contains("claim to unpack to 3000000"), "{told}");
        // It claims little and unpacks to more.
        let mut bytes = archive(&[("bomb", &[0; 50_000])]);
        let at = bytes.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
        bytes[at + 24..at + 28].copy_from_slice(&10u32.to_le_bytes());
        let told = refused(bytes);
        assert!(told.contains("more than the 10 bytes it claims"), "{told}");
        let mut bytes = archive(&[("a", b"x")]);
        let end = bytes.len() - 22;
        bytes[end + 10..end + 12].copy_from_slice(&u16::MAX.to_le_bytes());
        assert!(refused(bytes).contains("65535 files"));
    }

    #[test]
    fn what_is_cut_off_is_refused_at_every_length() {
        let bytes = archive(&[("a.txt", b"some text, some text"), ("b", &[1; 300])]);
        for len in 0..bytes.len() {
            let told = refused(bytes[..len].to_vec());
            assert!(!told.is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(damage in proptest::collection::vec((0usize..600, any::<u8>()), 1..8)) {
            let mut bytes = archive(&[("a.txt", b"some text, some text"), ("b", &[1; 300])]);
            for (at, byte) in damage {
                let len = bytes.len();
                bytes[at % len] = byte;
            }
            if let Ok(mut zip) = ZipReader::new(Cursor::new(bytes)) {
                for index in 0..zip.entries().len() {
                    let _ = zip.read(index, &mut |_| Ok(()));
                }
            }
        }
    }
}
