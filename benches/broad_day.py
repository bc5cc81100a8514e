#!/usr/bin/env python3
"""A day as broad as options are: two sources of one feed (CME MDP 3.0) over so many instruments, as two captures.

    benches/broad_day.py OUT [instruments] [updates]
    parallax replay --config OUT/parallax.toml OUT/one.pcap OUT/two.pcap

Every instrument is quoted once by both sources (ten to a packet), then `updates` packets change a price or a size of
instruments drawn at random, all of it from a seed. The second source is 50 us behind the first; one packet in 50,000 it
shows a price that the first does not, for as long as that instrument is left alone. Instruments have numbers and no
definitions.
"""
import os
import random
import struct
import sys

START = 1_772_461_800_000_000_000
TICK = 10_000_000
ENTRY = struct.Struct("<qiiIiBBc5x")
ROOT = struct.Struct("<IQHHHHHQB2xHB")
TAIL = bytes([24, 0, 0, 0, 0, 0, 0, 0])
GROUPS = [("one", bytes([233, 9, 0, 1])), ("two", bytes([233, 9, 0, 2]))]


def frame(ts, group, payload):
    udp = struct.pack(">HHHH", 30001, 14310, 8 + len(payload), 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 16, 17, 0, bytes([10, 0, 0, 1]), group)
    length = 42 + len(payload)
    head = struct.pack("<IIII", ts // 10**9, ts % 10**9, length, length)
    ethernet = bytes([1, 0, 94]) + bytes([group[1] & 127, group[2], group[3]]) + bytes(6) + b"\x08\x00"
    return head + ethernet + ip + udp + payload


def packet(sequence, ts, entries):
    body = b"".join(ENTRY.pack(*entry) for entry in entries)
    size = 10 + 11 + 3 + len(body) + len(TAIL)
    return ROOT.pack(sequence, ts, size, 11, 46, 1, 12, ts, 0x80, 32, len(entries)) + body + TAIL


def write(out, number, instruments, updates):
    name, group = GROUPS[number]
    draw = random.Random(7)
    bids, reports = [1000] * instruments, [0] * instruments
    ts, sequence = START, 0
    with open(os.path.join(out, name + ".pcap"), "wb", 1 << 20) as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))

        def send(entries):
            nonlocal sequence
            sequence += 1
            at = ts + 20_000 + 50_000 * number
            file.write(frame(at, group, packet(sequence, ts, entries)))

        def side(i, action, kind, price, size):
            reports[i] += 1
            return (price * TICK, size, 100_000 + i, reports[i], 1, 1, action, kind)

        for first in range(0, instruments, 10):
            entries = []
            for i in range(first, min(first + 10, instruments)):
                entries += [side(i, 0, b"0", bids[i], 10), side(i, 0, b"1", bids[i] + 2, 10)]
            send(entries)
            ts += 20_000
        for n in range(updates):
            i = draw.randrange(instruments)
            kind, size = draw.randrange(3), 10 + draw.randrange(90)
            bids[i] += (0, 1, -1)[kind]
            wrong = 3 if number == 1 and n % 50_000 == 49_999 else 0
            send([side(i, 5, b"0", bids[i] - wrong, size), side(i, 5, b"1", bids[i] + 2, size)])
            ts += 4_000


def main():
    out = sys.argv[1]
    instruments, updates = (int(a) for a in (sys.argv[2:] + ["1500000", "2000000"][len(sys.argv) - 2 :])[:2])
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "parallax.toml"), "w") as file:
        for name, group in GROUPS:
            file.write(f'[[source]]\nname = "{name}"\nfeed = "cme-mdp3"\nvenue = "XCME"\n[[source.channel]]\nname = "c"\n')
            file.write(f'lines = [{{ name = "A", group = "{".".join(map(str, group))}:14310" }}]\n')
    for number in range(2):
        write(out, number, instruments, updates)


main()
