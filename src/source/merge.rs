//! Several captures as one stream of datagrams in time order.

use std::io::{Cursor, Read};
use std::net::SocketAddr;
use std::path::PathBuf;

use super::counts::CaptureCounts;
use super::error::CaptureError;
use super::hardware::HardwareTimestamps;
use super::input::{self, Input};
use super::stream::Stream;

/// How captures are read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether each capture is put into time order by a bounded look-ahead (100 ms, 4,096 datagrams,
    /// 16 MiB); without it a capture is read in file order. Several captures are merged either way.
    pub sort_window: bool,
    /// Only datagrams at or after this time, nanoseconds since 1970.
    pub from_ns: Option<u64>,
    /// Only datagrams before this time, nanoseconds since 1970.
    pub to_ns: Option<u64>,
    /// Where frames carry a receive time of their own.
    pub hardware_timestamps: HardwareTimestamps,
    /// The midnight that a BinaryFILE's times count from, nanoseconds since 1970.
    pub binaryfile_midnight_ns: u64,
    /// Whether reading and decompressing run on a thread per capture. Changes nothing in what comes out.
    pub read_ahead: bool,
    /// Whether that thread takes the capture apart too, where it is a file: records, frames, the order of time. Changes
    /// nothing in what comes out; [`Captures::counts`] then runs ahead of it, but for the datagrams, until the end.
    pub apart: bool,
    /// Whether non-empty TCP payloads are delivered too, each segment as one datagram.
    pub tcp: bool,
}

/// Time does not go beyond the year 2262, so that every deadline can be counted from it: nanoseconds since 1970. Later
/// receive times are told as they are, counted, and take effect then.
pub const LATEST_NS: u64 = i64::MAX as u64;

/// How a payload travelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// A UDP datagram.
    Udp,
    /// The payload of one TCP segment, as captured: not put in order, repeats included.
    Tcp,
    /// A message of a Nasdaq BinaryFILE; its addresses are unspecified.
    BinaryFile,
}

/// One UDP payload (or BinaryFILE message) with where and when it was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<'a> {
    /// Receive time: the capture's or the timestamping hardware's, nanoseconds since 1970, UTC.
    pub ts_recv_ns: u64,
    /// Which capture, counted from 0 in the order they were named.
    pub capture: u32,
    /// Which packet of the capture, counted from 1 over every packet record.
    pub frame: u64,
    /// What it travelled in.
    pub transport: Transport,
    /// Sender.
    pub source: SocketAddr,
    /// Receiver, mostly a multicast group.
    pub destination: SocketAddr,
    /// The captured bytes.
    pub payload: &'a [u8],
    /// Length on the wire in bytes; more than `payload.len()` when the capture cut it.
    pub wire_len: u32,
    /// The UDP checksum as its sender wrote it; 0 for none, and where none is known (received live, TCP, bare messages).
    pub checksum: u16,
    /// IPv4's identification as its sender wrote it, which many senders count; 0 where none is known (as above, and IPv6).
    pub identification: u16,
    /// The capture's interface, counted from 0 over all its sections; 0 where there are none.
    pub interface: u32,
    /// The interface's name in the capture, or the line's when it was received live; empty when nothing names it.
    pub interface_name: &'a str,
    /// What this machine lost before it.
    pub lost: Lost,
}

/// Datagrams that this machine itself lost between one datagram and the one before it on the same line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lost {
    /// For want of room in the line's socket buffer.
    pub socket: u32,
    /// Before any socket, in the kernel's queues of the whole machine: of which line is not known.
    pub host: u32,
}

/// Opened captures; gives their datagrams in time order.
pub struct Captures {
    captures: Vec<Stream>,
    /// By capture: the time of the datagram that waits; none before the first and at the end.
    next_ns: Vec<Option<u64>>,
    /// Beside the captures, so that they can be shown as one slice.
    counts: Vec<CaptureCounts>,
    names: Vec<String>,
    /// The capture whose datagram was lent last and must move on first.
    lent: Option<usize>,
    started: bool,
    /// Nothing from here on was asked for.
    from_ns: Option<u64>,
    to_ns: u64,
}

impl Captures {
    /// Opens captures by path; `-` is standard input, at most once.
    ///
    /// # Errors
    /// The first capture that cannot be opened, read or recognised.
    pub fn open(paths: &[PathBuf], options: &Options) -> Result<Captures, CaptureError> {
        if paths.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
            return Err(CaptureError::StandardInputTwice);
        }
        let inputs = paths.iter().map(|path| input::open(path)).collect::<Result<Vec<_>, _>>()?;
        Self::of(inputs, options)
    }

    /// Takes streams instead of files, each with the name it is reported under.
    ///
    /// # Errors
    /// The first stream that cannot be read or recognised.
    pub fn from_readers(
        readers: Vec<(String, Box<dyn Read + Send>)>,
        options: &Options,
    ) -> Result<Captures, CaptureError> {
        let inputs = readers.into_iter().map(|(name, stream)| Input { name, stream, total: None }).collect();
        Self::of(inputs, options)
    }

    /// Takes what has been opened.
    pub(super) fn of(inputs: Vec<Input>, options: &Options) -> Result<Captures, CaptureError> {
        let opened = inputs.into_iter().map(|input| Stream::open(input, options));
        let (captures, counts): (Vec<_>, Vec<_>) = opened.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let names = short_names(&counts);
        let to_ns = options.to_ns.unwrap_or(u64::MAX);
        let next_ns = vec![None; counts.len()];
        let (lent, started, from_ns) = (None, false, options.from_ns);
        Ok(Self { captures, next_ns, counts, names, lent, started, from_ns, to_ns })
    }

    /// Lets the first datagram of every capture wait; gives since when the lines were watched, where a recording says it.
    ///
    /// # Errors
    /// See [`Captures::next`].
    pub fn prime(&mut self) -> Result<Option<u64>, CaptureError> {
        if !self.started {
            self.started = true;
            for at in 0..self.captures.len() {
                self.advance(at)?;
            }
        }
        Ok(self.watched_from())
    }

    /// The next datagram in time order; equal times keep the order of the captures.
    ///
    /// # Errors
    /// A capture that the system can no longer read. Damage inside a capture is no error: it is counted.
    #[allow(clippy::should_implement_trait, reason = "it lends, which Iterator cannot")]
    pub fn next(&mut self) -> Result<Option<Datagram<'_>>, CaptureError> {
        Ok(if self.step()? { self.current() } else { None })
    }

    /// Goes on to the next datagram, which is then [`Captures::current`]; false when there is none any more.
    ///
    /// # Errors
    /// See [`Captures::next`].
    #[inline]
    pub fn step(&mut self) -> Result<bool, CaptureError> {
        if let Some(lent) = self.lent.take() {
            self.advance(lent)?;
        } else {
            self.prime()?;
        }
        let heads = self.next_ns.iter().enumerate().filter_map(|(at, next_ns)| Some((at, (*next_ns)?)));
        // `min_by_key` keeps the first of equals.
        self.lent = heads.min_by_key(|&(_, ts_ns)| ts_ns).map(|(at, _)| at);
        Ok(self.lent.is_some())
    }

    /// The datagram that [`Captures::step`] went on to. It is made where it is used: one that is handed on from call to
    /// call is written in parts and at once read in wholes to be copied, which the machine has to wait for.
    #[inline(always)]
    pub fn current(&self) -> Option<Datagram<'_>> {
        let at = self.lent?;
        self.captures[at].datagram(at as u32)
    }

    /// Lets the next datagram of a capture wait.
    #[inline]
    fn advance(&mut self, at: usize) -> Result<(), CaptureError> {
        self.next_ns[at] = self.captures[at].advance(&mut self.counts[at])?;
        Ok(())
    }

    /// Since when the lines were watched: the earliest that any capture says before its first datagram (pcapng's
    /// `isb_starttime`); what did not come before it counts too. `None` when no capture says it, or when a beginning was
    /// cut off.
    fn watched_from(&self) -> Option<u64> {
        if self.from_ns.is_some() {
            return None;
        }
        let from = |(capture, first_ns): (&Stream, &Option<u64>)| capture.watched_from_ns((*first_ns)?);
        self.captures.iter().zip(&self.next_ns).filter_map(from).min()
    }

    /// The time up to which the lines were watched: the latest that any capture says (pcapng's `isb_endtime`, in the
    /// statistics at its end), nanoseconds since 1970, at most the asked end. A recording was watched longer than
    /// until its last datagram, and what did not come in that time counts. `None` when no capture says it, or before
    /// all have been read to their end. A capture that claims more than a week after its latest packet is not
    /// believed; that is counted as `bad_statistics`.
    pub fn watched_until(&self) -> Option<u64> {
        let until = self.captures.iter().filter_map(Stream::watched_until_ns).max()?;
        Some(until.min(self.to_ns))
    }

    /// What became of each capture's records so far.
    pub fn counts(&self) -> &[CaptureCounts] {
        &self.counts
    }

    /// The captures' names for records, by number: file names, for a record says the same wherever its capture lies;
    /// as they were given where two of them have the same file name.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Reports a capture under another name than that of the file it was opened as.
    pub fn rename(&mut self, capture: usize, name: &str) {
        self.names[capture] = name.to_owned();
        self.counts[capture].name = name.to_owned();
    }

    /// Bytes read of all files, and their size if all of them have one.
    pub fn progress(&self) -> (u64, Option<u64>) {
        let read = self.captures.iter().map(|capture| capture.meter.bytes_read()).sum();
        (read, self.captures.iter().map(|capture| capture.total).sum())
    }
}

/// Reads a capture from memory to its end and gives its counts: an entry for fuzzing and tests.
///
/// # Errors
/// When the bytes are no capture.
pub fn read_bytes(bytes: &[u8], options: &Options) -> Result<CaptureCounts, CaptureError> {
    let stream: Box<dyn Read + Send> = Box::new(Cursor::new(bytes.to_vec()));
    let mut captures = Captures::from_readers(vec![("memory".to_owned(), stream)], options)?;
    while captures.next()?.is_some() {}
    Ok(captures.counts.swap_remove(0))
}

fn short_names(counts: &[CaptureCounts]) -> Vec<String> {
    let short = |counts: &CaptureCounts| {
        let file = std::path::Path::new(&counts.name).file_name();
        file.map_or_else(|| counts.name.clone(), |f| f.to_string_lossy().into_owned())
    };
    let names: Vec<String> = counts.iter().map(short).collect();
    let unique = |name: &String| names.iter().filter(|n| *n == name).count() == 1;
    if names.iter().all(unique) { names } else { counts.iter().map(|c| c.name.clone()).collect() }
}
