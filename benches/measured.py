"""What the measuring programs of this folder share: building what is measured, and how they take their arguments."""

import argparse
import json
import os
import subprocess
import sys


def built(*what):
    """Builds with cargo, and answers the executable."""
    command = ["cargo", *what, "--message-format=json"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    made = [json.loads(line) for line in out.splitlines()]
    found = [m["executable"] for m in made if m.get("reason") == "compiler-artifact" and m.get("executable")]
    if not found:
        sys.exit(f"{os.path.basename(sys.argv[0])}: `{' '.join(command)}` built no executable")
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
