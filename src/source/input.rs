//! From a named input to a stream of decompressed bytes.
//!
//! Compression is told by the first bytes, never by the name. Every format is read
//! to the end of the file: gzip with many members, zstd and lz4 with many frames,
//! xz with many streams.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lz4_flex::frame::FrameDecoder;

use super::error::CaptureError;

/// The compression around a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// Plain.
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// LZ4 frames ("LZ4 Frame Format Description" 1.6.x).
    Lz4,
    /// xz ("The .xz File Format" 1.2).
    Xz,
}

impl Compression {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Lz4 => "lz4",
            Compression::Xz => "xz",
        }
    }

    fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            // A skippable frame (both formats share them); parallel zstd writers begin with one.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            // The frame format and the older "legacy" one.
            [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Compression::Lz4,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            _ => Compression::None,
        }
    }
}

/// What is known of an input while it is read, possibly on another thread.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Bytes read from the file, before decompression.
    pub read: AtomicU64,
    /// Whether the system, not the content, was the cause of a failure.
    pub failed: AtomicBool,
}

impl Meter {
    // Relaxed is enough: the bytes are for display, and a failure reaches its reader by the
    // channel or the call that carried the error, which orders it.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Counts bytes and failures of the input under the decompressor.
struct Metered {
    stream: Box<dyn Read + Send>,
    meter: Arc<Meter>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let outcome = self.stream.read(buffer);
        match &outcome {
            Ok(read) => {
                self.meter.read.fetch_add(*read as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.meter.failed.store(true, Ordering::Relaxed),
        }
        outcome
    }
}

/// An input before its container is known.
pub(super) struct Input {
    pub name: String,
    pub stream: Box<dyn Read + Send>,
    /// Size of the file before decompression, when it has one.
    pub total: Option<u64>,
}

/// Opens a file, or standard input for `-`.
pub(super) fn open(path: &Path) -> Result<Input, CaptureError> {
    let name = path.display().to_string();
    if path.as_os_str() == "-" {
        return Ok(Input { name, stream: Box::new(io::stdin()), total: None });
    }
    let failed = |source| CaptureError::Open { name: path.display().to_string(), source };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    // A named pipe has no length to speak of.
    let total = metadata.is_file().then_some(metadata.len());
    Ok(Input { name, stream: Box::new(file), total })
}

/// Looks at the first bytes and puts the right decompressor over the stream.
///
/// # Errors
/// What the stream said while its first bytes were read.
pub(super) fn decompress(
    stream: Box<dyn Read + Send>,
    meter: Arc<Meter>,
) -> io::Result<(Box<dyn Read + Send>, Compression)> {
    let mut stream = Metered { stream, meter };
    let mut first = [0; 6];
    let mut len = 0;
    while len < first.len() {
        match stream.read(&mut first[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let compression = Compression::of(&first[..len]);
    let whole = Cursor::new(first).take(len as u64).chain(stream);
    let stream: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(whole)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(whole)?),
        Compression::Lz4 => Box::new(Lz4Frames::new(whole)),
        Compression::Xz => {
            let decoder =
                liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_MAX, liblzma::stream::CONCATENATED)?;
            Box::new(liblzma::read::XzDecoder::new_stream(whole, decoder))
        }
    };
    Ok((stream, compression))
}

/// xz -9 needs 65 MiB to decompress; anything far beyond is not a capture.
const XZ_MEMORY_MAX: u64 = 256 * 1024 * 1024;

/// The first bytes of a frame, looked at and put back, then the rest of the input.
type Lz4Input<R> = io::Chain<io::Take<Cursor<[u8; 4]>>, BufReader<R>>;

/// Reads LZ4 frames one after the other: the decoder underneath stops after each,
/// and does not know skippable frames.
enum Lz4Frames<R: Read> {
    /// The next byte of the input starts a frame.
    Between(BufReader<R>),
    /// Within a frame; boxed for its size.
    Within(Box<FrameDecoder<Lz4Input<R>>>),
    /// The input has ended or failed.
    Ended,
}

impl<R: Read> Lz4Frames<R> {
    fn new(stream: R) -> Self {
        Self::Between(BufReader::with_capacity(64 * 1024, stream))
    }

    /// Starts the next frame, past skippable ones; `Ended` at the end of the input.
    fn next_frame(mut input: BufReader<R>) -> io::Result<Self> {
        loop {
            let mut magic = Vec::with_capacity(4);
            let len = input.by_ref().take(4).read_to_end(&mut magic)? as u64;
            if len == 0 {
                return Ok(Self::Ended);
            }
            magic.resize(4, 0);
            let magic = [magic[0], magic[1], magic[2], magic[3]];
            if !matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18]) {
                let whole = Cursor::new(magic).take(len).chain(input);
                return Ok(Self::Within(Box::new(FrameDecoder::new(whole))));
            }
            let mut length = [0; 4];
            input.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            if io::copy(&mut input.by_ref().take(length), &mut io::sink())? < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl<R: Read> Read for Lz4Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // A failure leaves `Ended` behind: what follows it is not trusted.
            match std::mem::replace(self, Self::Ended) {
                Self::Ended => return Ok(0),
                Self::Between(input) => *self = Self::next_frame(input)?,
                Self::Within(mut decoder) => {
                    let read = decoder.read(buffer)?;
                    if read > 0 || buffer.is_empty() {
                        *self = Self::Within(decoder);
                        return Ok(read);
                    }
                    *self = Self::Between(decoder.into_inner().into_inner().1);
                }
            }
        }
    }
}
