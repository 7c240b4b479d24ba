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


def pcap_payload():
    """Bytes of TCP payload that left for port 8080."""
    data = (LAB / "all.pcap").read_bytes()
    nano = data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xd4\xc3\xb2\xa1")
    assert nano, "a little-endian pcap file"
    at, total = 24, 0
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        if frame[12:14] != b"\x08\x00" or frame[23] != 6 or frame[36:38] != struct.pack(">H", 8080):
            continue
        total += struct.unpack(">H", frame[16:18])[0] - 20 - (frame[46] >> 4) * 4
    return total


records = [json.loads(line) for line in read("trace.jsonl").splitlines()]
ss = json.loads(read("ss.json"))[0]
stat = json.loads(read("stat.json"))
slow = json.loads(read("slow.json"))
conn = ss["conn"]
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
    lost_payload = sum(r["bytes"] - HEADERS for r in lost if r["bytes"] > HEADERS)
    same("retransmitted bytes", {
        "ss -j": ss["bytes_retrans"], "trace": sum(r["len"] for r in rtx), "why --slow": slow["retrans_bytes"],
        "pcap": pcap_payload() + lost_payload - UPLOAD})


def dropped():
    shown = sum(row.get("lost", 0) for row in json.loads(read("net.json")))
    same("frames lost on purpose", {
        "stat": nstat("NET_LOSS"), "stat -j": stat["drops"]["NET_LOSS"], "trace -j": len(lost),
        "trace": len(re.findall("NET_LOSS", read("drop.txt"))), "net show": shown})


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


retransmitted()
dropped()
labels()
