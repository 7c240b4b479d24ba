# SPDX-License-Identifier: MIT
"""Frames to bytes and back: Ethernet, ARP, IPv4, ICMP, UDP, TCP. Every field can be made wrong on purpose.

In: lab.py, the probes.  Out: nothing; it knows no socket and no state.
"""
import struct

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << i for i in range(8))
ICMP, TCP, UDP = 1, 6, 17
IP_TYPE, ARP_TYPE = 0x0800, 0x0806
BROADCAST_MAC = b"\xff" * 6
MF, DF = 0x2000, 0x4000

# TCP options as bytes, in the order in which Linux sends them
SACK_OK = b"\x04\x02"
NOP = b"\x01"


def mss(value):
    return struct.pack("!BBH", 2, 4, value)


def wscale(shift):
    return NOP + bytes((3, 3, shift))


def timestamps(value, echo=0):
    return NOP + NOP + struct.pack("!BBII", 8, 10, value & 0xFFFFFFFF, echo & 0xFFFFFFFF)


def sack(*blocks):
    body = b"".join(struct.pack("!II", a & 0xFFFFFFFF, b & 0xFFFFFFFF) for a, b in blocks)
    return NOP + NOP + bytes((5, 2 + len(body))) + body


def ip_bytes(text):
    return bytes(int(part) for part in text.split("."))


def ip_text(raw):
    return ".".join(str(b) for b in raw)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(src, dst, protocol, length):
    return ip_bytes(src) + ip_bytes(dst) + struct.pack("!BBH", 0, protocol, length)


def tcp(src, dst, sport, dport, flags, seq=0, ack=0, win=65535, options=b"", data=b"", urgent=0, offset=None,
        bad_checksum=False):
    """offset: data offset in words, when it is to lie."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4 if offset is None else offset
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, words << 4, flags, win, 0,
                       urgent)
    body = head + options + data
    value = checksum(pseudo(src, dst, TCP, len(body)) + body)
    if bad_checksum:
        value ^= 0x0101
    return body[:16] + struct.pack("!H", value) + body[18:]


def udp(src, dst, sport, dport, data=b"", length=None, check=None):
    """check: the checksum, when it is not to be the right one."""
    head = struct.pack("!HHHH", sport, dport, 8 + len(data) if length is None else length, 0)
    if check is None:
        check = checksum(pseudo(src, dst, UDP, len(head + data)) + head + data) or 0xFFFF
    return head[:6] + struct.pack("!H", check) + data


def icmp(kind, code=0, rest=b"\0\0\0\0", data=b"", bad_checksum=False):
    body = struct.pack("!BBH", kind, code, 0) + rest + data
    value = checksum(body) ^ (0x0101 if bad_checksum else 0)
    return body[:2] + struct.pack("!H", value) + body[4:]


def echo(ident, seq, data=b"", kind=8, bad_checksum=False):
    return icmp(kind, 0, struct.pack("!HH", ident, seq), data, bad_checksum)


def ip(src, dst, protocol, payload, ttl=64, tos=0, ident=0, frag=DF, options=b"", version=4, ihl=None, length=None,
       bad_checksum=False):
    """frag: flags and offset as one number; length, ihl: when they are to lie."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4 if ihl is None else ihl
    total = 20 + len(options) + len(payload) if length is None else length
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | words, tos, total, ident, frag, ttl, protocol, 0, ip_bytes(src),
                       ip_bytes(dst)) + options
    value = checksum(head) ^ (0x0101 if bad_checksum else 0)
    return head[:10] + struct.pack("!H", value) + head[12:] + payload


def arp(operation, sha, spa, tha, tpa, hardware=1, protocol=IP_TYPE, hlen=6, plen=4):
    return struct.pack("!HHBBH", hardware, protocol, hlen, plen, operation) + sha + ip_bytes(spa) + tha + ip_bytes(tpa)


def ethernet(dst, src, kind, payload):
    return dst + src + struct.pack("!H", kind) + payload


class Frame:
    """A frame that came. Fields of the layers that it does not have are None; bad: what of it is wrong."""

    def __init__(self, raw, time):
        self.raw, self.time, self.bad = raw, time, ""
        self.mac_dst, self.mac_src = raw[:6], raw[6:12]
        self.kind = struct.unpack_from("!H", raw, 12)[0] if len(raw) >= 14 else None
        self.src = self.dst = self.protocol = self.flags = self.type = self.operation = None
        if self.kind == ARP_TYPE and len(raw) >= 42:
            self._arp(raw[14:42])
        elif self.kind == IP_TYPE and len(raw) >= 34:
            self._ip(raw[14:])

    def _arp(self, b):
        self.operation = struct.unpack_from("!H", b, 6)[0]
        self.sha, self.src, self.tha, self.dst = b[8:14], ip_text(b[14:18]), b[18:24], ip_text(b[24:28])

    def _ip(self, b):
        words, self.tos, total, self.ident, self.frag, self.ttl, self.protocol = struct.unpack_from("!BBHHHBB", b)
        self.src, self.dst = ip_text(b[12:16]), ip_text(b[16:20])
        size = (words & 15) * 4
        self.ip = b[:total]
        if checksum(b[:size]):
            self.bad = "IP checksum"
        self.payload = b[size:total]
        if self.frag & 0x1FFF or self.frag & MF:
            return
        if self.protocol == TCP and len(self.payload) >= 20:
            self._tcp(self.payload)
        elif self.protocol == ICMP and len(self.payload) >= 8:
            self.type, self.code = self.payload[:2]
            self.data = self.payload[8:]
            self.bad = self.bad or ("ICMP checksum" if checksum(self.payload) else "")
        elif self.protocol == UDP and len(self.payload) >= 8:
            self.sport, self.dport = struct.unpack_from("!HH", self.payload)
            self.data = self.payload[8:]

    def _tcp(self, b):
        self.sport, self.dport, self.seq, self.ack, words, self.flags, self.win, _, self.urgent = struct.unpack_from(
            "!HHIIBBHHH", b)
        size = (words >> 4) * 4
        self.options, self.padding = parse_options(b[20:size])
        self.data = b[size:]
        if checksum(pseudo(self.src, self.dst, TCP, len(b)) + b):
            self.bad = "TCP checksum"
        if self.padding.strip(b"\0"):
            self.bad = "option padding"

    def mss(self):
        return struct.unpack("!H", self.options[2])[0] if 2 in self.options else None

    def ts(self):
        """(value, echo) or None"""
        return struct.unpack("!II", self.options[8]) if 8 in self.options else None

    def sacks(self):
        raw = self.options.get(5, b"")
        return [struct.unpack_from("!II", raw, i) for i in range(0, len(raw), 8)]

    def __str__(self):
        if self.operation:
            return f"ARP {self.operation} {self.src} > {self.dst}"
        if self.flags is not None:
            letters = "".join(c for i, c in enumerate("FSRPAUEC") if self.flags >> i & 1)
            return f"{letters} seq={self.seq} ack={self.ack} len={len(self.data)} win={self.win}"
        if self.type is not None:
            return f"ICMP {self.type}/{self.code}"
        return f"{self.src} > {self.dst} protocol {self.protocol}, {len(self.raw)} bytes"


def parse_options(raw):
    """({kind: value}, the bytes behind End of List)"""
    found, i = {}, 0
    while i < len(raw):
        kind = raw[i]
        if kind == 0:
            return found, raw[i + 1:]
        if kind == 1:
            i += 1
            continue
        if i + 1 >= len(raw) or raw[i + 1] < 2:
            break
        found[kind] = raw[i + 2:i + raw[i + 1]]
        i += raw[i + 1]
    return found, b""
