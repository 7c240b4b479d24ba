#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Every event and every drop reason of the tables is met by a test, as the recorder saw it: plays the tests of the stack
and gathers what reached.c writes.

    reached.py PROGRAM...
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BASE = pathlib.Path(__file__).resolve().parent.parent.parent / "src" / "base"


def play(program, file):
    env = dict(os.environ, GLASS_REACHED=str(file))
    done = subprocess.run([program], env=env, capture_output=True, text=True, check=False, timeout=300)
    return program, done


def main():
    events = re.findall(r"^EVENT_DEF\(\w+, (\w+)", (BASE / "event.def").read_text(encoding="utf-8"), re.M)
    drops = re.findall(r"^DROP\((\w+)", (BASE / "drop.def").read_text(encoding="utf-8"), re.M)
    good = True
    with tempfile.TemporaryDirectory() as tmp, concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(play, program, pathlib.Path(tmp) / str(i)) for i, program in enumerate(sys.argv[1:])]
        for job in jobs:
            program, done = job.result()
            if done.returncode:
                print(f"{program} failed ({done.returncode}):\n{done.stderr[-2000:]}")
                good = False
        met = set()
        for file in pathlib.Path(tmp).iterdir():
            met.update(file.read_text(encoding="utf-8").splitlines())
    for kind, names in (("event", events), ("drop", drops)):
        missing = [name for name in names if f"{kind} {name}" not in met]
        print(f"{len(names) - len(missing)} of {len(names)} {kind}s are reached by a test")
        for name in missing:
            print(f"not reached: {kind} {name}")
            good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
