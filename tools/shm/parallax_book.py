#!/usr/bin/env python3
"""Reads the shared-memory books of Parallax: standard library alone, numpy for whole books at once.

    python3 parallax_book.py DIR INSTRUMENT [--json]        all sources, side by side
    python3 parallax_book.py DIR                            which instruments there are

    from parallax_book import Book, open_all
    book = Book("/dev/shm/parallax/parallax.direct.book")
    slot = book.find("AAPL", "XNAS")            # venue None: the best over all venues; keep the answer
    view = book.read(slot)                      # View(bid=Level(price=189970000000, quantity=100), ...)
    table = book.snapshot()                     # numpy: one row per slot in use
    table["bid_price"][table["present"] & 1 == 1] / 1e9

Prices are integers in units of 1e-9, times nanoseconds since 1970 UTC. The layout is documented in
docs/shared-memory.md; this reads layout version 1. A reader never writes and never slows the writer.

Python has no memory fences. On x86-64 loads are not reordered with loads, so the version's two looks hold; on other
machines this file refuses to read, and the C header does it.
"""

import json
import mmap
import os
import platform
import struct
import sys
import time
from collections import namedtuple

VERSION = 1
HEADER_BYTES = 1024
ENTRY_BYTES = 64
TOP_BYTES = 128
LEVEL_BYTES = 32
LEVELS_MAX = 10
SLOTS_MAX = 1 << 20
TRIES = 1000
STALE_AFTER_NS = 1_000_000_000
QUALITIES = ("ok", "suspect", "halted", "auction", "closed")
STATES = ("unknown", "trading", "auction", "halted", "closed")

# Words of the header that change: bytes from the file's start.
HEARTBEAT_NS, CLOSED, COUNT, OVERFLOW, RENAMES = 512, 520, 640, 648, 656

HEADER = struct.Struct("=8s14Q8x48s64s32s8s")
# version, quality, state, present, bid_levels, ask_levels, then words; prices are signed.
TOP = struct.Struct("=Q5B3x4Q" + "qQ" * 4 + "2Q")
LEVELS = struct.Struct("=qQqQ")

Level = namedtuple("Level", "price quantity")
View = namedtuple(
    "View",
    "updates quality state sequence ts_event_ns ts_recv_ns ts_published_ns "
    "bid ask round_lot_bid round_lot_ask capture frame bids asks",
)


class NotABook(Exception):
    """The file is none that this version reads."""


class Torn(Exception):
    """Every try met a write. From a living writer: try again; from a dead one it stays so."""


def _text(raw):
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def _namespace():
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


class Book:
    """One source's books."""

    def __init__(self, path):
        if platform.machine() not in ("x86_64", "AMD64"):
            raise NotABook("this reader needs x86-64, where loads keep their order; use parallax_book.h")
        self.path = str(path)
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            head = os.pread(file.fileno(), HEADER_BYTES, 0)
            if len(head) < HEADER_BYTES or head[:8] != b"PLXBOOK\n":
                raise NotABook(f"{path}: is no shared book")
            (_, version, header_bytes, entry_bytes, self.slot_bytes, self.slots, self.levels, self.directory,
             self.first_slot, size, self.epoch, self.created_ns, self.pid, self.pid_start, self.pid_namespace,
             name, source, feed, venue) = HEADER.unpack_from(head)
            if version != VERSION:
                raise NotABook(f"{path}: has layout version {version}, this reads {VERSION}")
            up = lambda n: (n + 127) // 128 * 128
            sane = (
                header_bytes == HEADER_BYTES and entry_bytes == ENTRY_BYTES and 1 <= self.slots <= SLOTS_MAX
                and self.levels <= LEVELS_MAX and self.slot_bytes == up(TOP_BYTES + LEVEL_BYTES * self.levels)
                and self.directory == HEADER_BYTES and self.first_slot == up(HEADER_BYTES + ENTRY_BYTES * self.slots)
                and size == self.first_slot + self.slots * self.slot_bytes
            )
            if not sane:
                raise NotABook(f"{path}: contradicts itself")
            if found.st_size < size:
                raise NotABook(f"{path}: is cut off: {found.st_size} of {size} bytes")
            self._map = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        self._file = (found.st_dev, found.st_ino)
        self._bytes = memoryview(self._map)
        self._words = self._bytes.cast("Q")
        self.name, self.source, self.feed = _text(name), _text(source), _text(feed)
        self.venue = _text(venue) or None

    def close(self):
        """Lets go of the memory; arrays of snapshot() are copies and stay."""
        self._words.release()
        self._bytes.release()
        self._map.close()

    def count(self):
        """Slots in use; it only grows."""
        return min(self._words[COUNT // 8], self.slots)

    def overflow(self):
        """Views that have no slot."""
        return self._words[OVERFLOW // 8]

    def renames(self):
        """Renamed entries so far: ask find() again when it has moved."""
        return self._words[RENAMES // 8]

    def _cell(self, start, length):
        """The bytes of a cell, all of one moment: the sequence lock's reading side."""
        for _ in range(TRIES):
            before = self._words[start // 8]
            if before & 1:
                continue
            held = bytes(self._bytes[start:start + length])
            if self._words[start // 8] == before:
                return before, held
        raise Torn(f"{self.path}: every try met a write")

    def entry(self, slot):
        """(instrument, MIC) of a slot; None for the best over all venues."""
        _, held = self._cell(self.directory + slot * ENTRY_BYTES, ENTRY_BYTES)
        return _text(held[8:56]), _text(held[56:64]) or None

    def entries(self):
        """(slot, instrument, MIC) of every slot in use."""
        for slot in range(self.count()):
            yield (slot, *self.entry(slot))

    def find(self, instrument, venue=None):
        """The slot of a view, or None."""
        for slot, name, mic in self.entries():
            if name == instrument and mic == venue:
                return slot
        return None

    def read(self, slot):
        """What a slot shows now, or None when nothing was ever written to it. Raises Torn."""
        if not 0 <= slot < self.count():
            raise IndexError(f"{self.path}: no slot {slot}")
        version, held = self._cell(self.first_slot + slot * self.slot_bytes, TOP_BYTES + LEVEL_BYTES * self.levels)
        if version == 0:
            return None
        (_, quality, state, present, bids, asks, sequence, ts_event_ns, ts_recv_ns, ts_published_ns,
         *best, capture, frame) = TOP.unpack_from(held)
        if quality >= len(QUALITIES) or state >= len(STATES) or max(bids, asks) > self.levels:
            raise NotABook(f"{self.path}: slot {slot} holds what this version does not know")
        best = [Level(*best[2 * n:2 * n + 2]) if present >> n & 1 else None for n in range(4)]
        rows = [LEVELS.unpack_from(held, TOP_BYTES + LEVEL_BYTES * n) for n in range(max(bids, asks))]
        return View(
            version // 2, QUALITIES[quality], STATES[state], sequence, ts_event_ns, ts_recv_ns, ts_published_ns,
            *best, capture, frame, [Level(*row[:2]) for row in rows[:bids]], [Level(*row[2:]) for row in rows[:asks]],
        )

    def dtype(self):
        """The numpy type of a slot."""
        import numpy

        names = ["version", "quality", "state", "present", "bid_levels", "ask_levels", "sequence", "ts_event_ns",
                 "ts_recv_ns", "ts_published_ns", "bid_price", "bid_quantity", "ask_price", "ask_quantity",
                 "round_lot_bid_price", "round_lot_bid_quantity", "round_lot_ask_price", "round_lot_ask_quantity",
                 "capture", "frame"]
        formats = ["u8"] + ["u1"] * 5 + ["u8"] * 4 + ["i8", "u8"] * 4 + ["u8", "u8"]
        offsets = [0, 8, 9, 10, 11, 12, 16, 24, 32, 40] + list(range(48, 112, 8)) + [112, 120]
        if self.levels:
            level = numpy.dtype([("bid_price", "i8"), ("bid_quantity", "u8"), ("ask_price", "i8"),
                                 ("ask_quantity", "u8")])
            names.append("levels")
            formats.append((level, (self.levels,)))
            offsets.append(TOP_BYTES)
        return numpy.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": self.slot_bytes})

    def snapshot(self):
        """All slots in use as a numpy array (a copy), each row all of one moment; version 0: nothing written yet."""
        import numpy

        count, kind = self.count(), self.dtype()
        live = numpy.frombuffer(self._bytes, dtype=kind, count=count, offset=self.first_slot)
        before = live["version"].copy()
        table = live.copy()
        after = live["version"].copy()
        torn = numpy.nonzero((before != after) | (before & 1 == 1) | (table["version"] != before))[0]
        del live
        for slot in torn:
            start = self.first_slot + int(slot) * self.slot_bytes
            _, held = self._cell(start, self.slot_bytes)
            table[slot] = numpy.frombuffer(held, dtype=kind)[0]
        return table

    def writer(self, now_ns=None):
        """alive, stale, dead or closed. Looks into /proc: not for every read."""
        now_ns = time.time_ns() if now_ns is None else now_ns
        gone = self._writer_is_gone()
        # Closed is looked at last: a writer that closes and ends is gone after it closed.
        if self._words[CLOSED // 8]:
            return "closed"
        if gone:
            return "dead"
        return "stale" if now_ns - self._words[HEARTBEAT_NS // 8] > STALE_AFTER_NS else "alive"

    def _writer_is_gone(self):
        if not self.pid or not self.pid_namespace or _namespace() != self.pid_namespace:
            return False
        try:
            with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            return fields[0] in "ZX" or (self.pid_start != 0 and int(fields[19]) != self.pid_start)
        except (OSError, IndexError):
            pass
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
        return False

    def replaced(self):
        """Whether another file lies at the path by now, or none: open it again."""
        try:
            found = os.stat(self.path)
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._file


def open_all(directory):
    """Every book of a directory, by path; what is no book is told on standard error."""
    books = []
    for name in sorted(os.listdir(directory)):
        if name.endswith(".book") and not name.startswith("."):
            try:
                books.append(Book(os.path.join(directory, name)))
            except (NotABook, OSError) as error:
                print(error, file=sys.stderr)
    return books


def show_price(nanos):
    """Exact: '189.97'."""
    whole, part = divmod(abs(nanos), 1_000_000_000)
    decimals = f"{part:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nanos < 0 else ''}{whole}.{decimals}"


def _row(book, venue, view):
    side = lambda level: "-" if level is None else f"{level.quantity} x {show_price(level.price)}"
    if view is None:
        return [book.source, venue or "best", "-", "-", "empty", "-", book.writer()]
    age_ms = (time.time_ns() - view.ts_recv_ns) // 1_000_000
    return [book.source, venue or "best", side(view.bid), side(view.ask), view.quality, f"{age_ms} ms", book.writer()]


def main(arguments):
    as_json = "--json" in arguments
    arguments = [argument for argument in arguments if argument != "--json"]
    if not 1 <= len(arguments) <= 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        books = open_all(arguments[0])
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    if len(arguments) == 1:
        for name in sorted({name for book in books for _, name, _ in book.entries()}):
            print(name)
        return 0
    rows = [["source", "venue", "bid", "ask", "quality", "age", "writer"]]
    for book in books:
        for slot, name, venue in book.entries():
            if name != arguments[1]:
                continue
            view = book.read(slot)
            rows.append(_row(book, venue, view))
            if as_json:
                held = None if view is None else {
                    key: value._asdict() if isinstance(value, Level)
                    else [level._asdict() for level in value] if isinstance(value, list) else value
                    for key, value in view._asdict().items()
                }
                print(json.dumps({"source": book.source, "venue": venue, "writer": book.writer(), "view": held}))
    if len(rows) == 1:
        print(f"no book in {arguments[0]} shows {arguments[1]}", file=sys.stderr)
        return 2
    if not as_json:
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
