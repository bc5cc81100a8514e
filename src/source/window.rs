//! A sliding window over a stream of bytes, filled block by block.
//!
//! Records are read in place. Only the cut record at a block's end is copied, in
//! front of the next block, where room is kept for it. Blocks are recycled, so
//! memory stays the same however long the capture is. Blocks are filled here or,
//! reading ahead, on another thread: the bytes are the same either way. Whoever
//! wants to keep what it read in its place marks the block, and has it when the
//! window goes on to the next.

use std::io::{self, Read};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

/// Bytes asked from the source at a time.
const BLOCK_LEN: usize = 256 * 1024;
/// Room in front of a block for the cut record of the block before.
const HEADROOM: usize = 64 * 1024;
/// Blocks that may wait between the reading thread and the parser.
const BLOCKS_AHEAD: usize = 4;
/// Kept blocks that wait to be filled again.
const SPARE_MAX: usize = 8;

/// `bytes` holds `HEADROOM` unused bytes, then data up to `end`.
#[derive(Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    end: usize,
}

impl Block {
    /// What ranges in [`Window::buffer`] mean, once the window has gone on.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

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
    Kept(Kept),
}

/// Blocks that outlive the window's passing over them.
struct Kept {
    source: Source,
    spare: Vec<Block>,
    /// Something in the window's block is wanted later.
    marked: bool,
    /// Blocks that were marked and passed.
    left: Vec<Block>,
    /// The window has gone on to another block.
    turned: bool,
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

    /// A window that reads on the calling thread and keeps blocks that are marked.
    pub fn keeping(stream: Box<dyn Read + Send>) -> Self {
        let source = Source { stream, failure: None };
        let (spare, left) = (Vec::new(), Vec::new());
        Self::over(Blocks::Kept(Kept { source, spare, marked: false, left, turned: false }))
    }

    /// Marks the block that [`Window::buffer`] shows.
    pub fn mark(&mut self) {
        if let Blocks::Kept(kept) = &mut self.blocks {
            kept.marked = true;
        }
    }

    /// Whether that block is marked.
    #[inline]
    pub fn is_marked(&self) -> bool {
        matches!(&self.blocks, Blocks::Kept(Kept { marked: true, .. }))
    }

    /// Whether the window has gone on since this was last asked. Hands over the marked blocks that it left, in order.
    #[inline]
    pub fn turned(&mut self, mut take: impl FnMut(Block)) -> bool {
        let Blocks::Kept(kept) = &mut self.blocks else { return false };
        if !kept.turned {
            return false;
        }
        kept.left.drain(..).for_each(&mut take);
        std::mem::take(&mut kept.turned)
    }

    /// The stream has ended: hands over the last block too, where it is marked.
    pub fn close(&mut self, mut take: impl FnMut(Block)) {
        let Blocks::Kept(kept) = &mut self.blocks else { return };
        kept.left.drain(..).for_each(&mut take);
        if std::mem::take(&mut kept.marked) {
            take(std::mem::take(&mut self.buffer));
            (self.start, self.ended) = (0, true);
        }
    }

    /// Takes a block back that is wanted no more.
    pub fn take_back(&mut self, block: Block) {
        if let Blocks::Kept(kept) = &mut self.blocks
            && kept.spare.len() < SPARE_MAX
            && block.bytes.len() == HEADROOM + BLOCK_LEN
        {
            kept.spare.push(block);
        }
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
            let bytes = [&self.buffer.bytes[rest], &block.bytes[HEADROOM..block.end]].concat();
            let end = bytes.len();
            block = std::mem::replace(&mut self.buffer, Block { bytes, end });
            self.start = 0;
        }
        self.leave(block);
        Ok(true)
    }

    fn receive(&mut self) -> io::Result<Block> {
        match &mut self.blocks {
            Blocks::Here { source, spare } => source.fill(std::mem::take(spare)),
            Blocks::Kept(kept) => kept.source.fill(kept.spare.pop().unwrap_or_default()),
            // The thread is gone only after its last block, and that block set `ended`.
            Blocks::Ahead { filled, .. } => filled.recv().unwrap_or_else(|_| Ok(Block::default())),
        }
    }

    /// The window has gone on from this block.
    fn leave(&mut self, block: Block) {
        match &mut self.blocks {
            Blocks::Here { spare, .. } => *spare = block,
            Blocks::Kept(kept) => {
                kept.turned = true;
                if std::mem::take(&mut kept.marked) {
                    kept.left.push(block);
                } else {
                    self.take_back(block);
                }
            }
            // A full queue means enough blocks circulate; this one is dropped.
            Blocks::Ahead { empty, .. } => drop(empty.try_send(block)),
        }
    }
}
