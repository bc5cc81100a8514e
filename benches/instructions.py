#!/usr/bin/env python3
"""How many instructions a message takes in each part, counted: a number that does not hear the neighbours.

    benches/instructions.py [--out NOW.json] [--against BEFORE.json] [PART ...]

Counts with valgrind (callgrind), so that a change of a percent is seen on any machine, however busy; on another compiler or another
standard library the numbers are others. With `--against` a row that differs by more than half a percent is marked. It counts
instructions, not time: a cache miss is not in it. `check` is an update of a quote in the comparator, all checks on; it is flat in the
number of instruments when its rows are. Exit code 0 also when valgrind is missing, which is said.
"""

import json
import re
import shutil
import subprocess
import sys

import measured

PARTS = ["framing", "decode", "book", "line", "publish", "read", "read-top", "pipeline"]
UPDATES = 50_000
CHECKS = [(sources, instruments) for sources in (2, 4, 8) for instruments in (10, 1_000, 10_000, 100_000)]


def counted(command, function):
    """Instructions between entering and leaving a function, and what the program said. The name is exact: a closure of the
    function would switch the counting off again."""
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--toggle-collect={function}"]
    done = subprocess.run(valgrind + command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode != 0 or not found or found[1] == "0":
        sys.exit(f"instructions.py: `{' '.join(command)}` was not counted: {done.stderr[-400:]}")
    return int(found[1]), done.stdout.strip()


def main():
    parser = measured.parser(__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "check", []], metavar="PART")
    parser.add_argument("--out")
    parser.add_argument("--against")
    asked = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("SKIPPED: there is no valgrind here; install it to count instructions")
        return
    before = {}
    if asked.against:
        with open(asked.against) as file:
            before = json.load(file)
    wanted, rows, moved = asked.parts or [*PARTS, "check"], {}, 0

    def tell(name, instructions, units):
        nonlocal moved
        each = rows[name] = round(instructions / units, 2)
        change = ""
        if name in before:
            percent = 100 * (each / before[name] - 1)
            change = f"{percent:+8.2f} %" + (" *" if abs(percent) > 0.5 else "")
            moved += abs(percent) > 0.5
        print(f"{name:28}{each:12.2f} {change}", flush=True)

    if any(part in PARTS for part in wanted):
        program = measured.built("bench", "count")
        for part in (part for part in PARTS if part in wanted):
            instructions, said = counted([program, part], "count::measured_" + part.replace("-", "_"))
            tell(part, instructions, int(said))
    if "check" in wanted:
        program = measured.built("bench", "breadth")
        for sources, instruments in CHECKS:
            row = ["row", str(sources), str(instruments), "all", str(UPDATES), "one"]
            tell(f"check {sources} x {instruments}", counted([program, *row], "breadth::Bench::measured")[0], UPDATES)
    if asked.out:
        with open(asked.out, "w") as file:
            json.dump(rows, file, indent=1)
    if before:
        print(f"{moved} of {len(rows)} moved by more than half a percent")


if __name__ == "__main__":
    main()
