//! A sliding window over a stream of bytes, filled block by block.
//!
//! Records are read in place. Only the cut record at a block's end is copied, in
//! front of the next block, where room is kept for it. Blocks are recycled, so
//! memory stays the same however long the capture is. Blocks are filled here or,
//! reading ahead, on another thread: the bytes are the same either way.

use std::io::{self, Read};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

/// Bytes asked from the source at a time.
const BLOCK_LEN: usize = 256 * 1024;
/// Room in front of a block for the cut record of the block before.
const HEADROOM: usize = 64 * 1024;
/// Blocks that may wait between the reading thread and the parser.
const BLOCKS_AHEAD: usize = 4;

/// `bytes` holds `HEADROOM` unused bytes, then data up to `end`.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    end: usize,
}

impl Block {
    fn is_empty(&self) -> bool {
        self.end <= HEADROOM
    }
}

/// A source and the failure it met after its last good bytes.
struct Source {
    stream: Box<dyn Read + Send>,
    failure: Option<io::Error>,
}

impl Source {
    /// Fills a block; leaves it empty at the end of the stream. The bytes before a
    /// failure are given first, the failure with the next block.
    fn fill(&mut self, mut block: Block) -> io::Result<Block> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        block.bytes.resize(HEADROOM + BLOCK_LEN, 0);
        block.end = HEADROOM;
        while block.end < block.bytes.len() {
            match self.stream.read(&mut block.bytes[block.end..]) {
                Ok(0) => break,
                Ok(read) => {
                    block.end += read;
                    // What a pipe gives is handed over at once: waiting for more would hold back live data.
                    if block.end - HEADROOM >= BLOCK_LEN / 4 || read < 4096 {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if block.is_empty() => return Err(error),
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        Ok(block)
    }
}

/// Where blocks come from.
enum Blocks {
    Here { source: Source, spare: Block },
    Ahead { filled: Receiver<io::Result<Block>>, empty: Sender<Block> },
}

/// See the module.
pub(super) struct Window {
    blocks: Blocks,
    buffer: Block,
    start: usize,
    /// Offset in the stream of the byte at `start`.
    offset: u64,
    ended: bool,
}

/// Ends at the stream's end, at its failure, or when the parser has gone.
fn read_ahead(mut source: Source, filled: &Sender<io::Result<Block>>, empty: &Receiver<Block>) {
    loop {
        let outcome = source.fill(empty.try_recv().unwrap_or_default());
        let last = outcome.as_ref().map_or(true, Block::is_empty);
        if filled.send(outcome).is_err() || last {
            return;
        }
    }
}

impl Window {
    /// A window that reads on the calling thread.
    pub fn new(stream: Box<dyn Read + Send>) -> Self {
        let source = Source { stream, failure: None };
        Self::over(Blocks::Here { source, spare: Block::default() })
    }

    /// A window whose source is read on a thread of its own.
    ///
    /// # Errors
    /// The system's refusal to start a thread.
    pub fn reading_ahead(stream: Box<dyn Read + Send>) -> io::Result<Self> {
        let source = Source { stream, failure: None };
        let (filled_in, filled) = bounded(BLOCKS_AHEAD);
        let (empty, empty_out) = bounded(BLOCKS_AHEAD + 2);
        thread::Builder::new()
            .name("capture-reader".to_owned())
            .spawn(move || read_ahead(source, &filled_in, &empty_out))?;
        Ok(Self::over(Blocks::Ahead { filled, empty }))
    }

    fn over(blocks: Blocks) -> Self {
        Self { blocks, buffer: Block::default(), start: 0, offset: 0, ended: false }
    }

    /// Offset in the stream of the next unread byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes read and not yet passed.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer.bytes[self.start..self.buffer.end]
    }

    /// The buffer that record ranges point into.
    #[inline]
    pub fn buffer(&self) -> &[u8] {
        &self.buffer.bytes
    }

    /// Passes over `len` bytes and gives their place in [`Window::buffer`]; at most what is there.
    #[inline]
    pub fn take(&mut self, len: usize) -> std::ops::Range<usize> {
        let from = self.start;
        self.start = (from + len).min(self.buffer.end);
        self.offset += (self.start - from) as u64;
        from..self.start
    }

    /// Sees to it that `len` bytes are there; `false` when the stream ends before.
    ///
    /// # Errors
    /// What the source said. The bytes before the failure stay readable.
    #[inline]
    pub fn ensure(&mut self, len: usize) -> io::Result<bool> {
        while self.buffer.end - self.start < len {
            if self.ended || !self.next_block()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Passes over `len` bytes, read yet or not, without keeping them; `false` when the stream ends before.
    ///
    /// # Errors
    /// What the source said.
    pub fn skip(&mut self, len: u64) -> io::Result<bool> {
        let mut left = len;
        while left > 0 {
            if !self.ensure(1)? {
                return Ok(false);
            }
            let step = self.bytes().len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.take(step);
            left -= step as u64;
        }
        Ok(true)
    }

    /// Puts the next block behind the unread bytes; `false` at the end of the stream.
    fn next_block(&mut self) -> io::Result<bool> {
        let mut block = match self.receive() {
            Ok(block) => block,
            Err(error) => {
                self.ended = true;
                return Err(error);
            }
        };
        if block.is_empty() {
            self.ended = true;
            return Ok(false);
        }
        let rest = self.start..self.buffer.end;
        if rest.len() <= HEADROOM {
            self.start = HEADROOM - rest.len();
            block.bytes[self.start..HEADROOM].copy_from_slice(&self.buffer.bytes[rest]);
            std::mem::swap(&mut self.buffer, &mut block);
        } else {
            // A record larger than the headroom: rare, so it may cost a second copy.
            self.buffer.bytes.truncate(self.buffer.end);
            self.buffer.bytes.drain(..self.start);
            self.buffer.bytes.extend_from_slice(&block.bytes[HEADROOM..block.end]);
            self.buffer.end = self.buffer.bytes.len();
            self.start = 0;
        }
        self.recycle(block);
        Ok(true)
    }

    fn receive(&mut self) -> io::Result<Block> {
        match &mut self.blocks {
            Blocks::Here { source, spare } => source.fill(std::mem::take(spare)),
            // The thread is gone only after its last block, and that block set `ended`.
            Blocks::Ahead { filled, .. } => filled.recv().unwrap_or_else(|_| Ok(Block::default())),
        }
    }

    fn recycle(&mut self, block: Block) {
        match &mut self.blocks {
            Blocks::Here { spare, .. } => *spare = block,
            // A full queue means enough blocks circulate; this one is dropped.
            Blocks::Ahead { empty, .. } => drop(empty.try_send(block)),
        }
    }
}
