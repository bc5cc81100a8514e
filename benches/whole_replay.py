#!/usr/bin/env python3
"""A whole `parallax replay` of two sources beside decoding and booking alone and beside tshark, in one run, as ratios.

    benches/whole_replay.py DAY.pcap DIRECTORY [--packets 1000000] [--runs 3] [--core 1] [--compressed zst,gz]
                            [--tshark 200000] [--program parallax --floor decode_book]

makes the captures of two sources (`two_sources.py`) in DIRECTORY unless they are there, and then, in turn:

- `decode and book`: `cargo bench --bench decode_book` over both captures, one thread on one core;
- `replay, one core`: the whole replay, alerts, quotes and latency recorded, pinned to the same core, `--no-read-ahead`;
- `replay, two cores`: the same as it is run by hand, reading and booking ahead of judging; wall time;
- the same of compressed captures, with and without reading ahead: how much of reading, decompressing and judging overlaps.

Alerts and quotes of every run must be the same to the byte, else it ends with exit code 1. tshark reads the first packets of one
source (`-V`, MoldUDP64 and ITCH told where it has dissectors), and, for its start-up, a hundredth of them; Parallax likewise: the
ratio is of what each packet costs, whole process, wall time. Programs are built unless they are given.
"""

import hashlib
import json
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import measured

HERE = pathlib.Path(__file__).resolve().parent
COMPRESS = {"zst": ["zstd", "-q", "-3", "-c"], "gz": ["gzip", "-6", "-c"], "lz4": ["lz4", "-q", "-c"], "xz": ["xz", "-1", "-c"]}


def run(command, core=None):
    """Wall and processor seconds of a whole process, its peak memory in kilobytes, and what it said."""
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaint:
        began = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=complaint)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        complaint.seek(0)
        if child.returncode != 0:
            sys.exit(f"whole_replay.py: `{' '.join(command)}` failed: {complaint.read()[-300:].decode(errors='replace')}")
        return (wall, used.ru_utime + used.ru_stime, used.ru_maxrss), said.read(1 << 20)


def head(source, packets, target):
    """The first packets of a capture as one of their own."""
    record, taken = struct.Struct("<IIII"), 0
    with open(source, "rb") as file, open(target, "wb") as out:
        out.write(file.read(24))
        while taken < packets and len(header := file.read(16)) == 16:
            out.write(header + file.read(record.unpack(header)[2]))
            taken += 1
    return taken


def digest(paths):
    sums = []
    for path in paths:
        with open(path, "rb") as file:
            sums.append(hashlib.file_digest(file, "sha256").hexdigest())
    return sums


class Bench:
    def __init__(self, asked):
        self.asked, self.rows, self.told = asked, {}, None
        self.folder = pathlib.Path(asked.directory)
        self.out = [self.folder / name for name in ("alerts.ndjson", "quotes.ndjson", "latency.hlog")]

    def replay(self, name, captures, config, ahead, core):
        command = [self.asked.program, "replay", "--config", str(config), *map(str, captures), "--summary", "json"]
        for option, path in zip(("--alerts", "--quotes", "--latency"), self.out):
            path.unlink(missing_ok=True)
            command += [option, str(path)]
        took, _ = run(command if ahead else [*command, "--no-read-ahead"], core)
        self.rows.setdefault(name, []).append(took)
        told = digest(self.out[:2])
        if self.told is None:
            self.told = told
        if told != self.told:
            sys.exit(f"whole_replay.py: {name} tells other alerts or quotes than the runs before")

    def compress(self, kind, capture):
        packed = capture.with_name(f"{capture.name}.{kind}")
        if not packed.exists():
            with open(capture, "rb") as source, open(packed, "wb") as out:
                subprocess.run(COMPRESS[kind], stdin=source, stdout=out, check=True)
        return packed

    def rounds(self):
        asked, captures, config = self.asked, [self.folder / "one.pcap", self.folder / "two.pcap"], self.folder / "parallax.toml"
        kinds = [kind for kind in asked.compressed.split(",") if kind]
        packed = {kind: [self.compress(kind, capture) for capture in captures] for kind in kinds}
        for _ in range(asked.runs):
            took, said = run([asked.floor, *map(str, captures)], asked.core)
            self.messages = json.loads(said)["messages"]
            self.rows.setdefault("decode and book", []).append(took)
            self.replay("replay, one core", captures, config, False, asked.core)
            self.replay("replay, two cores", captures, config, True, None)
            for kind, paths in packed.items():
                self.replay(f"{kind}, no read-ahead", paths, config, False, None)
                self.replay(f"{kind}, read ahead", paths, config, True, None)

    def show(self):
        middle = {name: [statistics.median(v) for v in zip(*took)] for name, took in self.rows.items()}
        floor_wall, floor_processor, _ = middle["decode and book"]
        print(f"{self.messages} messages of two sources, {self.asked.runs} runs, medians; ns/message")
        print(f"{'':26}{'wall':>9}{'least':>9}{'most':>9}{'cpu':>9}{'wall/floor':>12}{'cpu/floor':>11}{'MiB':>7}")
        for name, took in self.rows.items():
            walls, (wall, processor, memory) = sorted(t[0] for t in took), middle[name]
            ns = [1e9 * seconds / self.messages for seconds in (wall, walls[0], walls[-1], processor)]
            print(f"{name:26}" + "".join(f"{n:9.1f}" for n in ns) + f"{wall / floor_wall:12.2f}{processor / floor_processor:11.2f}{memory / 1024:7.0f}")
        for kind in (name.removesuffix(", read ahead") for name in self.rows if name.endswith(", read ahead")):
            alone, ahead = middle[f"{kind}, no read-ahead"][0], middle[f"{kind}, read ahead"][0]
            print(f"{kind}: reading ahead takes {ahead / alone:.2f} of the time without")
        print("alerts and quotes: the same to the byte in every run")

    def tshark(self):
        program, most = shutil.which("tshark"), self.asked.tshark
        if program is None:
            print("tshark: SKIPPED, not installed")
            return
        capture = self.folder / "one.pcap"
        layers = subprocess.run([program, "-G", "protocols"], stdout=subprocess.PIPE, text=True).stdout
        options = [["-d", "udp.port==26477,moldudp64"]] if "moldudp64" in layers else [[]]
        few, many = (self.folder / f"head{n}.pcap" for n in (most // 100, most))
        counts = [head(capture, most // 100, few), head(capture, most, many)]
        config = self.folder / "one.toml"
        text = (self.folder / "parallax.toml").read_text()
        config.write_text(text[: text.rindex("[[source]]")])
        replay = [self.asked.program, "replay", "--config", str(config), "--summary", "json",
                  *(word for pair in zip(("--alerts", "--quotes", "--latency"), map(str, self.out)) for word in pair)]
        each = {}
        for name, command, core in [
            ("tshark -V", lambda path: [program, "-n", "-r", str(path), *options[0], "-V"], self.asked.core),
            ("replay, one core", lambda path: [*replay, "--no-read-ahead", str(path)], self.asked.core),
            ("replay, two cores", lambda path: [*replay, str(path)], None),
        ]:
            took = [[run(command(path), core)[0][0] for _ in range(self.asked.runs)] for path in (few, many)]
            seconds = [statistics.median(t) for t in took]
            each[name] = (seconds[1] - seconds[0]) / (counts[1] - counts[0]) * 1e6
            print(f"{name:26}{seconds[1]:9.2f} s of {counts[1]} packets, {seconds[0]:.2f} s of {counts[0]}: {each[name]:.2f} us/packet")
        for name in ("replay, one core", "replay, two cores"):
            print(f"tshark / {name}, start-up taken off, wall time: {each['tshark -V'] / each[name]:.1f}")


def main():
    parser = measured.parser(__doc__, "day", "directory", runs=3)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--compressed", default="zst,gz")
    parser.add_argument("--tshark", type=int, default=200_000)
    parser.add_argument("--program")
    parser.add_argument("--floor")
    asked = parser.parse_args()
    asked.program = asked.program or measured.built("bin", "parallax")
    asked.floor = asked.floor or measured.built("bench", "decode_book")
    if not os.path.exists(os.path.join(asked.directory, "two.pcap")):
        subprocess.run([sys.executable, str(HERE / "two_sources.py"), asked.day, asked.directory, str(asked.packets)], check=True)
    bench = Bench(asked)
    bench.rounds()
    bench.show()
    bench.tshark()


if __name__ == "__main__":
    main()
