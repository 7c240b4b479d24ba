#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The black-box matrix: probes from phantom hosts, the same against Glass and against Linux's kernel.

    matrix.py run glass|linux DEVICE [--preload LIB] [--out FILE] [--quick] [--only NAME|ROW]...
    matrix.py table GLASS.json LINUX.json FILE.md		the page of results
    matrix.py check GLASS.json FILE.md				what passes on the page and is a must still passes

run needs a network namespace of its own (tests/matrix/run.sh makes it). --quick leaves the slow probes out.
"""
import argparse
import json
import sys
import threading
import time

import lab as lab_module
import probes
import results

def run_one(lab, p, found):
    begin = time.monotonic()
    try:
        words, passed = p.run(lab, lab.phantom()), True
    except lab_module.Differs as e:
        words, passed = str(e), False
    except OSError as e:
        words, passed = f"error: {e}", False
    found.append({"row": p.row, "name": p.name, "pass": passed, "words": words,
                  "seconds": round(time.monotonic() - begin, 2)})
    if not passed:
        print(f"# {p.row} {p.name}: {words}", file=sys.stderr, flush=True)


def wanted(args):
    for p in probes.PROBES:
        if not (args.quick and p.slow) and (not args.only or {p.row, p.name} & set(args.only)):
            yield p


def run(args):
    lab, found, threads = lab_module.Lab(args.target, args.device, args.preload), [], []
    chosen = list(wanted(args))
    for p in chosen:
        if not p.slow and not p.alone:
            run_one(lab, p, found)
    for p in chosen:
        if p.slow:
            threads.append(threading.Thread(target=run_one, args=(lab, p, found)))
            threads[-1].start()
            time.sleep(0.2)  # beginnings, which are the busy part, one after the other
    for thread in threads:
        thread.join()
    for p in chosen:  # floods, which leave tables full, at last
        if p.alone:
            run_one(lab, p, found)
    for row, name, kind in (("T02", "checksums_sent", "checksum"), ("T08", "padding_sent", "padding")):
        wrong = [b for b in lab.bad if kind in b]
        found.append({"row": row, "name": name, "pass": not wrong,
                      "words": wrong[0] if wrong else "none wrong"})
    lab.agent.end()
    json.dump(found, open(args.out, "w", encoding="utf-8") if args.out else sys.stdout, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    r = commands.add_parser("run")
    r.add_argument("target", choices=("glass", "linux"))
    r.add_argument("device")
    r.add_argument("--preload")
    r.add_argument("--out")
    r.add_argument("--quick", action="store_true")
    r.add_argument("--only", action="append", default=[])
    t = commands.add_parser("table")
    t.add_argument("files", nargs=3)
    c = commands.add_parser("check")
    c.add_argument("files", nargs=2)
    args = parser.parse_args()
    if args.command == "run":
        run(args)
    elif args.command == "table":
        sys.exit(results.write_table(*args.files))
    else:
        sys.exit(results.check(*args.files))


main()
