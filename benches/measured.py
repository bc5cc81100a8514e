"""What the measuring programs of this folder share: building what is measured, and how they take their arguments."""

import argparse
import json
import os
import subprocess
import sys


def built(kind, name):
    """Builds the `bench` or `bin` of that name as it is measured, and answers its executable."""
    command = {"bench": ["bench", "--no-run"], "bin": ["build", "--release"]}[kind]
    words = ["cargo", *command, f"--{kind}", name, "--message-format=json"]
    out = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    made = [json.loads(line) for line in out.splitlines()]
    # What it needs is built as well, and said in any order.
    made = [m for m in made if m.get("executable") and m["target"]["name"] == name]
    found = [m["executable"] for m in made if kind in m["target"]["kind"]]
    if not found:
        sys.exit(f"{os.path.basename(sys.argv[0])}: `{' '.join(words)}` built no executable")
    return found[-1]


def parser(document, *places, runs=None):
    """Arguments after a program's own document: its `places` in order, and with `runs` how often and on which core."""
    out = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    for place in places:
        out.add_argument(place)
    if runs is not None:
        out.add_argument("--runs", type=int, default=runs)
        out.add_argument("--core", type=int, default=1)
    return out
