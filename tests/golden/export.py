#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What "glass trace --export" writes can be read, and says what "glass trace --json" says: records and values are compared
one by one. babeltrace2 reads the CTF, when it is there.

    export.py GLASS STORY
"""
import json
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

GLASS, STORY = (os.path.abspath(path) for path in sys.argv[1:3])
SILENT = ("enter", "func", "func_end")  # no marks in Perfetto: they are slices, or their ends


def glass(*args, code=0, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GLASS_")}
    done = subprocess.run([GLASS, *map(str, args)], env=env | {"GLASS_DIR": "/nonexistent"}, capture_output=True,
                          text=True, check=False, **more)
    assert done.returncode == code, (args, done.returncode, done.stderr)
    return done.stdout if code == 0 else done.stderr


def records(ring, *what):
    return [json.loads(line) for line in glass("trace", "--ring", ring, "--json", *what).splitlines()]


def nests(slices):
    """Within a track a slice lies in another, or beside it."""
    around = []
    for begin, end in sorted(((round(s["ts"] * 1000), round((s["ts"] + s["dur"]) * 1000)) for s in slices),
                             key=lambda s: (s[0], -s[1])):
        while around and around[-1] <= begin:
            around.pop()
        assert not around or end <= around[-1], (begin, end, around)
        around.append(end)


def check_perfetto(ring, wanted, *what):
    events = json.loads(glass("trace", "--ring", ring, "--export", "perfetto", *what))["traceEvents"]
    by_phase = {}
    for event in events:
        by_phase.setdefault(event["ph"], []).append(event)
    for tid in {s["tid"] for s in by_phase["X"]}:
        nests([s for s in by_phase["X"] if s["tid"] == tid])
    marks = sorted((m["cat"], m["args"]["room"]) for m in by_phase["i"])
    assert marks == sorted((r["event"], r["room"]) for r in wanted if r["event"] not in SILENT)
    rooms = [s["name"] for s in by_phase["X"] if "args" not in s]
    assert sorted(rooms) == sorted(r["room"] for r in wanted if r["event"] == "enter")
    for name, event, field, unit in [("srtt", "tcp_rtt", "srtt_ns", "ns"), ("ssthresh", "tcp_ca", "ssthresh", "bytes")]:
        curve = [c["args"][unit] for c in by_phase.get("C", []) if c["name"] == name]
        assert curve == [r[field] for r in wanted if r["event"] == event], name
    starts = {(s["id"], s["cat"]) for s in by_phase.get("s", [])}
    assert starts == {(f["id"], f["cat"]) for f in by_phase.get("f", [])}
    assert starts or what  # what causes may have been filtered out
    names = {e["args"]["name"] for e in by_phase["M"] if e["name"] == "process_name"}
    assert any(name.startswith("connection 1: 10.0.0.4:") for name in names), names
    return len(events)


def check_qlog(ring, wanted, *what):
    text = glass("trace", "--ring", ring, "--export", "qlog", *what)
    parts = text.split("\x1e")
    assert parts[0] == "" and all(part.endswith("}\n") for part in parts[1:])
    head, *events = map(json.loads, parts[1:])
    assert head["serialization_format"] == "application/qlog+json-seq"
    assert [round(e["time"] * 1e6) for e in events] == [r["time_ns"] for r in wanted]
    assert [(e["packet"], e["cause"], int(e["group_id"])) for e in events] == \
        [(r["pkt"], r["cause"], r["conn"]) for r in wanted]
    for event, record in zip(events, wanted):
        data = event["data"]
        if record["event"] == "tcp_acked":
            assert event["name"] == "tcp:recovery_metrics_updated"
            assert (data["congestion_window"], data["bytes_in_flight"]) == (record["cwnd"], record["flight"])
        elif record["event"] == "tcp_rtt":
            assert round(data["smoothed_rtt"] * 1e6) == record["srtt_ns"]
        elif record["event"] == "drop":
            assert (event["name"], data["trigger"]) == ("tcp:packet_dropped", record["reason"])
        elif record["event"] == "tcp_rtx":
            assert (event["name"], data["trigger"]) == ("tcp:marked_for_retransmit", record["why"])
    return len(events)


def check_ctf(ring, wanted, folder, *what):
    glass("trace", "--ring", ring, "--export", "ctf", "-o", folder, *what)
    stream = (folder / "stream").read_bytes()
    magic, stream_id, first, last, content, size, lost = struct.unpack("=IIQQQQQ", stream[:48])
    assert (magic, stream_id, lost) == (0xC1FC1FC1, 0, 0)
    assert content == size == len(stream) * 8
    assert (first, last) == (wanted[0]["time_ns"], wanted[-1]["time_ns"])
    assert (folder / "metadata").read_text().startswith("/* CTF 1.8 */")
    if not shutil.which("babeltrace2"):
        return "babeltrace2 is not there: only the stream's heading was looked at"
    lines = subprocess.run(["babeltrace2", "--clock-seconds", "--no-delta", folder], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    assert len(lines) == len(wanted), (len(lines), len(wanted))
    for line, record in zip(lines, wanted):
        name = record["event"] if record["event"] != "drop" else f"drop:{record['reason']}"
        want = f"[{record['time_ns'] // 10**9}.{record['time_ns'] % 10**9:09d}] {name}: {{ conn = {record['conn']}, " \
               f"pkt = {record['pkt']}, cause = {record['cause']}, room = \"{record['room']}\" }}"
        assert line.startswith(want), (line, want)
        for field in ("seq", "len", "cwnd", "srtt_ns"):
            assert field not in record or f" {field} = {record[field]}" in line, (line, field)
    return f"{len(lines)} events"


def check_errors(ring, tmp):
    export = ["trace", "--ring", ring, "--export"]
    assert "perfetto, qlog or ctf: not 'svg'" in glass(*export, "svg", code=2)
    assert "name it with -o" in glass(*export, "ctf", code=2)
    assert "goes with" in glass(*export, "qlog", "--raw", code=2)
    assert "nowhere/x: No such file" in glass(*export, "qlog", "-o", f"{tmp}/nowhere/x", code=1)
    assert "nowhere/x: No such file" in glass(*export, "ctf", "-o", f"{tmp}/nowhere/x", code=1)
    (tmp / "file").write_text("")
    assert "file/metadata: Not a directory" in glass(*export, "ctf", "-o", tmp / "file", code=1)
    assert "No space left on device" in glass(*export, "perfetto", "-o", "/dev/full", code=1)

    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))

    assert "stream: File too large" in glass(*export, "ctf", "-o", tmp / "full", code=1, preexec_fn=small_disk)


def main():
    with tempfile.TemporaryDirectory() as name:
        tmp = pathlib.Path(name)
        for story, what in [("fetch", []), ("slow", []), ("slow", ["1"]), ("slow", ["rtx"]),
                            ("blackhole", ["-c", "1"])]:
            ring = tmp / f"{story}.ring"
            subprocess.run([STORY, story, ring], check=True)
            wanted = records(ring, *what)
            assert wanted
            print(f"ok {story} {what}: perfetto {check_perfetto(ring, wanted, *what)} events, "
                  f"qlog {check_qlog(ring, wanted, *what)}, ctf {check_ctf(ring, wanted, tmp / 'ctf', *what)}")
        check_errors(tmp / "slow.ring", tmp)
    print("ok errors")


if __name__ == "__main__":
    main()
