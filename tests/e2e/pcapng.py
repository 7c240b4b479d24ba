# SPDX-License-Identifier: MIT
"""
Reads a pcapng file as the draft has it, and what Glass says in it. Says what is wrong with the file.

    pcapng.py FILE          prints what it holds, a line per block
"""
import shlex
import struct
import sys


def options(data):
    """[(code, value)]"""
    found, at = [], 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        at += 4
        if not code:
            assert at == len(data), "options go on after their end"
            break
        found.append((code, data[at:at + length]))
        at += (length + 3) & ~3
    return found


def blocks(path):
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0 and at + length <= len(data), f"block of {length} bytes at {at}"
        assert struct.unpack_from("<I", data, at + length - 4)[0] == length, f"two lengths at {at}"
        yield kind, data[at + 8:at + length - 4]
        at += length


def words(comments):
    """The fields of a packet; one that is there several times as a list."""
    found = {}
    for comment in comments:
        if not comment.startswith("glass."):
            continue
        for word in shlex.split(comment):
            name, value = word.split("=", 1)
            found.setdefault(name[len("glass."):], []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


class Packet:
    """time_ns, bytes, full (length), out, comments, glass (fields), id"""

    def __init__(self, body, link):
        _, high, low, kept, self.full = struct.unpack_from("<IIIII", body)
        self.time_ns = high << 32 | low
        self.bytes, self.link = body[20:20 + kept], link
        found = options(body[20 + ((kept + 3) & ~3):])
        self.comments = [value.decode() for code, value in found if code == 1]
        self.out = [struct.unpack("<I", value)[0] for code, value in found if code == 2] == [2]
        self.id = [struct.unpack("<Q", value)[0] for code, value in found if code == 5]
        self.glass = words(self.comments)


class Capture:
    """section and interface: {code: text}; packets; statistics: {code: number}"""

    def __init__(self, path):
        self.packets, self.interface, self.link, self.statistics = [], {}, None, {}
        for kind, body in blocks(path):
            if kind == 0x0a0d0d0a:
                assert body[:4] == b"\x4d\x3c\x2b\x1a", "byte order"
                self.section = {code: value.decode() for code, value in options(body[16:])}
            elif kind == 1:
                self.link = struct.unpack_from("<H", body)[0]
                self.interface = dict(options(body[8:]))
            elif kind == 6:
                self.packets.append(Packet(body, self.link))
            elif kind == 5:
                self.statistics = {code: struct.unpack("<Q", value)[0] for code, value in options(body[12:])}
            else:
                raise AssertionError(f"block of type {kind}")


def main():
    capture = Capture(sys.argv[1])
    print("section", *capture.section.values(), sep=" ~ ")
    print("interface", capture.link, *(value for code, value in sorted(capture.interface.items())), sep=" ~ ")
    for p in capture.packets:
        print("out" if p.out else "in", p.full, *p.comments, sep=" ~ ")
    print("statistics", capture.statistics)


if __name__ == "__main__":
    main()
