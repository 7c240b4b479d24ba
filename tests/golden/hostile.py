#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
A ring with damaged bytes is told or refused, but nothing dies and no control character reaches the terminal.

    hostile.py GLASS STORY [ROUNDS [SEED]]
"""
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ARGS = [["trace"], ["trace", "--raw"], ["trace", "--json"], ["trace", "1", "--verbose"], ["trace", "--packet", "7"],
        ["why"], ["why", "--json"], ["trace", "--since", "-1"], ["trace", "--export", "perfetto"],
        ["trace", "--export", "qlog"], ["report", "-o", "-"]]
EDGES = [0, 1, 2, 0x7f, 0x80, 0xff]


def damaged(ring, rng):
    out = bytearray(ring)
    kind = rng.randrange(5)
    if kind == 0:  # the header
        out[rng.randrange(64)] = rng.choice(EDGES)
    elif kind == 1:  # anywhere, a little
        for _ in range(rng.randrange(1, 20)):
            out[rng.randrange(len(out))] = rng.randrange(256)
    elif kind == 2:  # records, a lot: they begin within the last 4096 * 64 bytes
        at = len(out) - 4096 * 64
        for _ in range(400):
            out[at + rng.randrange(200 * 64)] = rng.choice(EDGES + [rng.randrange(256)])
    elif kind == 3:  # words lose their ends
        for _ in range(2000):
            out[64 + rng.randrange(20000)] = rng.randrange(1, 256)
    else:  # cut
        del out[rng.randrange(len(out)):]
    return bytes(out)


def main():
    glass, story = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 150
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    rng = random.Random(seed)
    bad = 0
    with tempfile.TemporaryDirectory() as tmp:
        good = pathlib.Path(tmp) / "good"
        subprocess.run([story, "fetch", good], check=True)
        ring = good.read_bytes()
        for n in range(rounds):
            path = pathlib.Path(tmp) / "bad"
            path.write_bytes(damaged(ring, rng))
            args = rng.choice(ARGS)
            done = subprocess.run([glass, args[0], "--ring", path, *args[1:]], capture_output=True, check=False,
                                  timeout=60)
            if "qlog" in args:  # its texts begin with a record separator
                done.stdout = done.stdout.replace(b"\n\x1e", b"\n").removeprefix(b"\x1e")
            if "report" in args:  # its data is packed
                done.stdout = b""
            if done.returncode not in (0, 1) or re.search(rb"[\x00-\x08\x0b-\x1f\x7f-\xff]", done.stdout):
                bad += 1
                print(f"round {n} of seed {seed}: {args}: status {done.returncode}")
                print(done.stderr.decode(errors="replace")[-3000:])
    print(f"{rounds} damaged rings, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
