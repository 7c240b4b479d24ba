# SPDX-License-Identifier: MIT
"""
Compares what stat, ss, trace, why and a pcap say of one upload that lost segments, and the stack's labels with what the
impairer dropped. Prints a line per fact, "fact: same N" or "fact: not the same ...".

    numbers.py FOLDER BYTES
"""
import json
import pathlib
import re
import struct
import sys

import pcapng

LAB, UPLOAD = pathlib.Path(sys.argv[1]), int(sys.argv[2])
HEADERS = 14 + 20 + 20 + 12  # Ethernet, IP, TCP, timestamps: of every data segment of an upload


def read(name):
    return (LAB / name).read_text(encoding="utf-8")


def same(fact, numbers):
    """numbers: who says what."""
    equal = len(set(numbers.values())) == 1
    print(f"{fact}: same {next(iter(numbers.values()))} ({', '.join(numbers)})" if equal
          else f"{fact}: not the same: {numbers}")


def nstat(name):
    return int(re.search(rf"^{name} +(\d+)", read("stat.txt"), re.M)[1])


def tcp_payload(frame):
    """(sequence number, bytes of payload) of a frame to port 8080; None: it is another one."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 6 or frame[36:38] != struct.pack(">H", 8080):
        return None
    return (struct.unpack(">I", frame[38:42])[0],
            struct.unpack(">H", frame[16:18])[0] - 20 - (frame[46] >> 4) * 4)


records = [json.loads(line) for line in read("trace.jsonl").splitlines()]
ss = json.loads(read("ss.json"))[0]
stat = json.loads(read("stat.json"))
slow = json.loads(read("slow.json"))
conn = ss["conn"]
capture = pcapng.Capture(LAB / "all.pcapng")
gso = {r["pkt"]: r["gso"] for r in records if r["event"] == "tx"}
rtx = [r for r in records if r["event"] == "tcp_rtx" and r["conn"] == conn and r["len"]]
lost = [r for r in records if r["event"] == "drop" and r["reason"] == "NET_LOSS"]


def segments(r):
    size = gso.get(r["pkt"], 0)
    return -(-r["len"] // size) if size else 1


def retransmitted():
    """By all who tell of it."""
    text = re.search(r" retrans:\d+/(\d+)", read("ss.txt"))
    same("retransmitted segments", {
        "stat": nstat("TcpRetransSegs"), "stat -j": stat["glass"]["TcpRetransSegs"],
        "ss": int(text[1]) if text else 0, "ss -j": ss["retrans_total"],
        "trace": sum(map(segments, rtx)), "why --slow": slow["retrans_segments"],
        "why": int(re.search(r"(\d+) segments? sent again", read("why.json"))[1])})
    same("frames that carried them", {"trace -j": len(rtx), "trace": len(read("rtx.txt").splitlines())})
    same("segments sent", {"ss -j": ss["segs_out"], "why --slow": slow["segments_sent"]})
    same("segments received", {"ss -j": ss["segs_in"], "why --slow": slow["segments_received"]})
    payload = sum(found[1] for found in (tcp_payload(p.bytes) for p in capture.packets) if found)
    same("retransmitted bytes", {
        "ss -j": ss["bytes_retrans"], "trace": sum(r["len"] for r in rtx), "why --slow": slow["retrans_bytes"],
        "pcapng": payload - UPLOAD})


def dropped():
    shown = sum(row.get("lost", 0) for row in json.loads(read("net.json")))
    same("frames lost on purpose", {
        "stat": nstat("NET_LOSS"), "stat -j": stat["drops"]["NET_LOSS"], "trace -j": len(lost),
        "trace": len(re.findall("NET_LOSS", read("drop.txt"))), "net show": shown,
        "pcapng": sum(p.glass.get("drop") == "NET_LOSS" for p in capture.packets)})


class Wire:
    """What happened to each byte's latest copy on its way out, from the impairer's drops."""

    def __init__(self):
        self.start = {r["pkt"]: r["seq"] for r in records
                      if r["event"] in ("tcp_out", "tcp_rtx") and r["conn"] == conn}
        self.length = {r["pkt"]: r["len"] for r in records if r["event"] == "tcp_out" and r["conn"] == conn}
        self.copies = []  # (seq, end, arrived), in the order of sending

    def sent(self, r):
        """A packet left: all of it has arrived, until a drop says otherwise."""
        if r["pkt"] in self.length and self.length[r["pkt"]]:
            self.copies.append([self.start[r["pkt"]], self.start[r["pkt"]] + self.length[r["pkt"]], True])

    def dropped(self, r):
        if r["pkt"] in self.start and r["bytes"] > HEADERS:
            seq = self.start[r["pkt"]] + r["at"]
            self.copies.append([seq, seq + r["bytes"] - HEADERS, False])

    def arrived(self, seq, end):
        """Bytes of this range whose latest copy arrived; and all of it."""
        state = bytearray(end - seq)
        for low, high, arrived in self.copies:
            low, high = max(low, seq), min(high, end)
            if low < high:
                state[low - seq:high - seq] = bytes([arrived]) * (high - low)
        return sum(state), len(state)


def spurious(seq, end):
    """The stack has said itself, later, that this was needless."""
    return any(r["event"] == "tcp_spurious" and r["conn"] == conn and seq <= r["seq"] < end for r in records)


def labels():
    wire, wrong, checked, probes = Wire(), [], 0, 0
    for r in records:
        if r["event"] == "tx":
            wire.sent(r)
        elif r["event"] == "drop" and r["reason"] == "NET_LOSS":
            wire.dropped(r)
        elif r["event"] in ("tcp_lost", "tcp_rtx") and r["conn"] == conn and r["len"]:
            there, total = wire.arrived(r["seq"], r["seq"] + r["len"])
            says_lost = r["event"] == "tcp_lost" or r["why"].startswith(("fast", "partial"))
            probes += not says_lost
            checked += says_lost
            if says_lost and there and not spurious(r["seq"], r["seq"] + r["len"]):
                wrong.append((r["event"], r["seq"], r["len"], r["why"], f"{there} of {total} bytes had arrived"))
    same("labels that say lost, of what was not", {"wrong": len(wrong), "none": 0})
    print(f"# {checked} labels checked, {probes} retransmissions on suspicion; wrong: {wrong[:5]}")
    end = max(high for _, high, _ in wire.copies)
    there, total = wire.arrived(1, end)
    same("of each byte the last copy arrived", {"arrived": there, "bytes": total, "uploaded": UPLOAD})


KINDS = (("fast", "fast"), ("partial", "partial"), ("timeout", "rto"), ("tail", "tlp"), ("SYN", "syn"))


def captured_labels():
    """The capture alone: each packet's label, against what the impairer dropped and the recorder wrote."""
    again = {r["pkt"]: r["why"] for r in rtx}
    dropped_at = {(r["pkt"], r["at"]) for r in lost}
    needless = {int(number) for p in capture.packets for number in
                (lambda v: v if isinstance(v, list) else [v])(p.glass.get("proves_spurious", []))}
    again_frames = needless_frames = 0
    base, arrived, wrong, count = None, bytearray(UPLOAD + 2), [], {}
    for p in capture.packets:
        found, number = tcp_payload(p.bytes) if p.out else None, int(p.glass["packet"])
        if not found:
            continue
        base = found[0] if base is None else base
        seq, length = (found[0] - base) & 0xffffffff, found[1]
        kind = p.glass.get("retransmission")
        if kind != next((k for begin, k in KINDS if again.get(number, "").startswith(begin)), None) and length:
            wrong.append((number, kind, again.get(number)))
        if (p.glass["verdict"] == "dropped") != ((number, int(p.glass.get("part_at", 0))) in dropped_at):
            wrong.append((number, p.glass["verdict"]))
        if kind in ("fast", "partial") and any(arrived[seq:seq + length]) and number not in needless:
            wrong.append((number, kind, "had arrived"))
        arrived[seq:seq + length] = bytes([p.glass["verdict"] == "sent"]) * length
        again_frames += bool(kind)
        needless_frames += bool(kind) and number in needless
        if kind and length:
            count[kind] = count.get(kind, 0) + 1
    same("labels in the capture that are not true", {"wrong": len(wrong), "none": 0})
    same("segments that the capture calls sent again", {
        "capture": sum(count.values()), "stat": nstat("TcpRetransSegs")})
    print(f"# in the capture: {again_frames} {needless_frames}")
    print(f"# kinds of retransmissions: {count}, of which {len(needless)} proved needless; wrong: {wrong[:5]}")


retransmitted()
dropped()
labels()
captured_labels()
