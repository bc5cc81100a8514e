//! Writes an archive whose bytes are a function of what goes in: entries in the order given, one fixed time, deflate.
//!
//! The format is PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 (local header), 4.3.9 (data descriptor), 4.3.12 (central
//! directory) and 4.3.16 (its end); no zip64: an entry or an archive of 4 GiB and more is refused.

use std::io::{self, Read, Write};

use flate2::{Compression, Crc, write::DeflateEncoder};

use super::sha256::Sha256;

/// 1980-01-01 00:00, the first day that the format knows.
const DATE: u16 = 1 << 5 | 1;
/// Sizes follow the data (bit 3); names are UTF-8 (bit 11).
const FLAGS: u16 = 1 << 3 | 1 << 11;
const DEFLATED: u16 = 8;
/// 2.0: deflate.
const VERSION: u16 = 20;

/// What was written of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name in the archive.
    pub name: String,
    /// Length, bytes.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    crc: u32,
    packed: u64,
    offset: u64,
}

/// An archive under way.
#[derive(Debug)]
pub struct ZipWriter<W: Write> {
    output: Counted<W>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Counted<W> {
    inner: W,
    written: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn fits(n: u64) -> io::Result<u32> {
    let refuse = || io::Error::new(io::ErrorKind::InvalidInput, "an evidence file holds less than 4 GiB");
    u32::try_from(n).ok().filter(|n| *n != u32::MAX).ok_or_else(refuse)
}

impl<W: Write> ZipWriter<W> {
    /// Begins one.
    pub fn new(output: W) -> Self {
        ZipWriter { output: Counted { inner: output, written: 0 }, entries: Vec::new() }
    }

    /// Adds a file.
    ///
    /// # Errors
    /// What the input or the output says; an archive of 4 GiB and more.
    pub fn add(&mut self, name: &str, mut from: impl Read) -> io::Result<()> {
        let offset = self.output.written;
        let mut header = Vec::new();
        header.extend_from_slice(b"PK\x03\x04");
        words(&mut header, &[VERSION, FLAGS, DEFLATED, 0, DATE]);
        header.extend_from_slice(&[0; 12]);
        words(&mut header, &[name.len() as u16, 0]);
        header.extend_from_slice(name.as_bytes());
        self.output.write_all(&header)?;
        let start = self.output.written;
        let (mut sha, mut crc, mut bytes) = (Sha256::default(), Crc::new(), 0u64);
        let mut encoder = DeflateEncoder::new(&mut self.output, Compression::default());
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            sha.update(&buffer[..read]);
            crc.update(&buffer[..read]);
            bytes += read as u64;
            fits(bytes)?;
            encoder.write_all(&buffer[..read])?;
        }
        encoder.finish()?;
        let packed = self.output.written - start;
        let mut descriptor = b"PK\x07\x08".to_vec();
        for word in [crc.sum(), fits(packed)?, fits(bytes)?] {
            descriptor.extend_from_slice(&word.to_le_bytes());
        }
        self.output.write_all(&descriptor)?;
        fits(self.output.written)?;
        let (name, sha256) = (name.to_owned(), sha.finish());
        self.entries.push(Entry { name, bytes, sha256, crc: crc.sum(), packed, offset });
        Ok(())
    }

    /// What was added so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Ends it and gives the output back.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(mut self) -> io::Result<W> {
        let start = self.output.written;
        let mut directory = Vec::new();
        for entry in &self.entries {
            directory.extend_from_slice(b"PK\x01\x02");
            words(&mut directory, &[VERSION, VERSION, FLAGS, DEFLATED, 0, DATE]);
            for word in [entry.crc, fits(entry.packed)?, fits(entry.bytes)?] {
                directory.extend_from_slice(&word.to_le_bytes());
            }
            words(&mut directory, &[entry.name.len() as u16, 0, 0, 0, 0, 0, 0]);
            directory.extend_from_slice(&fits(entry.offset)?.to_le_bytes());
            directory.extend_from_slice(entry.name.as_bytes());
        }
        let count = self.entries.len() as u16;
        let size = directory.len() as u32;
        directory.extend_from_slice(b"PK\x05\x06");
        words(&mut directory, &[0, 0, count, count]);
        directory.extend_from_slice(&size.to_le_bytes());
        directory.extend_from_slice(&fits(start)?.to_le_bytes());
        words(&mut directory, &[0]);
        self.output.write_all(&directory)?;
        self.output.flush()?;
        Ok(self.output.inner)
    }
}

fn words(out: &mut Vec<u8>, words: &[u16]) {
    words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
}
