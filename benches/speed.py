#!/usr/bin/env python3
"""Parallax on one ITCH day beside what the machine allows and what others need, in one run, as ratios.

    benches/speed.py DAY.itch [--pcap DAY.pcap] [--runs 5] [--core 1] [--csv ROWS.csv]
                     [--peer NAME='COMMAND'] ... [--floor 'COMMAND']

Every round runs, one after the other on the same core: the parts of `cargo bench --bench itch_day` (walking the framing is
the floor of decoding, touching two lines a message the floor of a book), each peer's command (whole process, the day on its
standard input; `{}` in it stands for the file), and the whole `replay` of the pcap. A ratio is between medians of one
run; times do not travel between machines, ratios travel better. `--floor` is another program that prints its own lines: they
are shown as they are, once.

Peers are whole processes: what they spend on reading the file is in their figure, as it is in `file+ahead`.
"""

import csv
import os
import re
import resource
import shlex
import statistics
import subprocess
import sys

import measured

PART = re.compile(r"^(.+?) +([0-9.]+) ns/message \[")


def on(core, command):
    return ["taskset", "-c", str(core), *command]


def cpu_seconds(command, stdin=None):
    """Processor seconds of a whole process, and its peak memory in kilobytes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(stdin or os.devnull, "rb") as source:
        done = subprocess.run(command, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"speed.py: `{' '.join(command)}` failed: {done.stderr.decode(errors='replace')[-300:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, after.ru_maxrss


def arguments():
    parser = measured.parser(__doc__, "day", runs=5)
    parser.add_argument("--pcap")
    parser.add_argument("--csv")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--floor")
    asked = parser.parse_args()
    for path in filter(None, [asked.day, asked.pcap]):
        if not os.path.isfile(path):
            parser.error(f"{path} is not a file")
    if not all("=" in peer for peer in asked.peer):
        parser.error("a --peer is NAME='COMMAND'")
    return asked


def main():
    asked = arguments()
    bench = measured.built("bench", "itch_day")
    parallax = measured.built("bin", "parallax") if asked.pcap else None
    rows, messages, memory = {}, 0, {}
    for _ in range(asked.runs):
        said = subprocess.run(
            on(asked.core, [bench, asked.day, "--runs", "1"]), check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        messages = int(said.split(" ", 1)[0])
        for line in said.splitlines():
            if found := PART.match(line):
                rows.setdefault(found[1], []).append(float(found[2]))
        for peer in asked.peer:
            name, command = peer.split("=", 1)
            words = [word.replace("{}", asked.day) for word in shlex.split(command)]
            seconds, memory[name] = cpu_seconds(on(asked.core, words), asked.day)
            rows.setdefault(name, []).append(seconds * 1e9 / messages)
        if parallax:
            replay = [parallax, "replay", "--no-read-ahead", asked.pcap]
            seconds, memory["replay"] = cpu_seconds(on(asked.core, replay))
            rows.setdefault("replay", []).append(seconds * 1e9 / messages)
    middle = {name: statistics.median(took) for name, took in rows.items()}
    print(f"{messages} messages, {asked.runs} runs on core {asked.core}; ns/message, medians")
    print(f"{'':24}{'median':>9}{'least':>9}{'most':>9}{'/framing':>10}{'/two lines':>11}")
    for name, took in rows.items():
        ratios = [middle[name] / middle[floor] for floor in ("framing", "two lines")]
        print(f"{name:24}{middle[name]:9.2f}{min(took):9.2f}{max(took):9.2f}{ratios[0]:10.2f}{ratios[1]:11.2f}")
    for name in (peer.split("=", 1)[0] for peer in asked.peer):
        print(f"file+ahead / {name}: {middle['file+ahead'] / middle[name]:.2f}")
    if asked.floor:
        subprocess.run(on(asked.core, shlex.split(asked.floor.replace("{}", asked.day))), check=True)
    if asked.csv:
        with open(asked.csv, "w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["what", *(f"run_{n + 1}" for n in range(asked.runs))])
            writer.writerows([name, *took] for name, took in rows.items())


if __name__ == "__main__":
    main()
