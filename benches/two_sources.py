#!/usr/bin/env python3
"""Makes of a capture of one ITCH source the capture of a second one that shows the same, a little later.

    benches/two_sources.py day.pcap DIRECTORY [PACKETS]

writes DIRECTORY/one.pcap and DIRECTORY/two.pcap with the first PACKETS packets (all of them without), and DIRECTORY/parallax.toml
that names the two as sources of one venue. The second comes from another group and every packet of it 20 to 36
microseconds behind the first's, in the same order; nothing of it is wrong, so what a replay of the two costs is the
books of both, every quote, and the judgement of every pair. The capture is nanosecond pcap of Ethernet, IPv4 and UDP, as
`itchgen` writes it; this changes receive times, the group's last byte and the IP header's checksum.
"""

import mmap
import pathlib
import struct
import sys

GROUP_AT = 30  # destination address in an Ethernet frame of IPv4
CHECKSUM_AT = 24
BEHIND_NS = 20_000
SPREAD_NS = 16_383

CONFIG = """# Two sources of one venue: see benches/two_sources.py.
{sources}"""
SOURCE = """
[[source]]
name = "{name}"
feed = "nasdaq-itch-5.0"
venue = "XNAS"

[[source.channel]]
name = "tv"
lines = [{{ name = "A", group = "{group}" }}]
"""


def checksum(header: bytes) -> int:
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit("two_sources.py CAPTURE DIRECTORY [PACKETS]")
    source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    most = int(sys.argv[3]) if len(sys.argv) == 4 else 1 << 62
    folder.mkdir(parents=True, exist_ok=True)
    record = struct.Struct("<IIII")
    packets, draw, latest, groups = 0, 1, 0, []
    with source.open("rb") as file, (folder / "two.pcap").open("wb", 1 << 20) as two:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if data[:4] != b"\x4d\x3c\xb2\xa1":
            sys.exit(f"{source} is no nanosecond pcap of a little-endian machine")
        two.write(data[:24])
        at, size = 24, len(data)
        while at + 16 <= size and packets < most:
            seconds, nanos, length, wire = record.unpack_from(data, at)
            frame = bytearray(data[at + 16 : at + 16 + length])
            if len(frame) != length:
                break
            if not groups:
                port = struct.unpack_from(">H", frame, 36)[0]
                first = frame[GROUP_AT : GROUP_AT + 4]
                second = first[:3] + bytes([first[3] ^ 1])
                groups = [".".join(map(str, group)) + f":{port}" for group in (first, second)]
            frame[GROUP_AT + 3] ^= 1
            frame[5] ^= 1
            frame[CHECKSUM_AT : CHECKSUM_AT + 2] = b"\0\0"
            frame[CHECKSUM_AT : CHECKSUM_AT + 2] = checksum(bytes(frame[14:34])).to_bytes(2, "big")
            draw = (draw * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
            latest = max(latest + 1, seconds * 1_000_000_000 + nanos + BEHIND_NS + (draw >> 8) % SPREAD_NS)
            two.write(record.pack(latest // 1_000_000_000, latest % 1_000_000_000, length, wire))
            two.write(frame)
            packets += 1
            at += 16 + length
        with (folder / "one.pcap").open("wb") as one:
            one.write(memoryview(data)[:at])
    sources = (SOURCE.format(name=name, group=group) for name, group in zip(("one", "two"), groups))
    (folder / "parallax.toml").write_text(CONFIG.format(sources="".join(sources)))
    print(f"{packets} packets in each")


if __name__ == "__main__":
    main()
