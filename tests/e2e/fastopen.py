# SPDX-License-Identifier: MIT
"""TCP Fast Open, as programs use it: the same script on the kernel's stack and on Glass.

fastopen.py server ADDR        answers each connection, at its end, with what came and how
fastopen.py client FROM TO     prints what every call answered
fastopen.py hasty FROM TO      the same of programs that shut down at once
fastopen.py key-server ADDR    listeners with keys of their own (TCP_FASTOPEN_KEY)
fastopen.py key-client FROM TO what becomes of a cookie from one at another
"""
import errno
import select
import socket
import sys
import time
import zlib

MSG_FASTOPEN = 0x20000000
TCP_FASTOPEN_CONNECT = 30
TCP_FASTOPEN_KEY = 33
SYN_DATA = 32  # of tcpi_options
ESTABLISHED = 1
PORT = 9100
KEY_A, KEY_B = bytes(range(16)), bytes(range(100, 116))
KEYS = {9110: KEY_A, 9111: KEY_A, 9112: KEY_B, 9113: KEY_B + KEY_A}


def syn_data(s):
    return bool(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5] & SYN_DATA)


def read_all(s):
    data = b""
    while piece := s.recv(65536):
        data += piece
    return data


def answer(listener):
    c, _ = listener.accept()
    data = read_all(c)
    c.sendall(f"{len(data)} bytes, crc {zlib.crc32(data):08x}, in the SYN: {syn_data(c)}".encode())
    c.close()


def server(addr):
    s = socket.create_server((addr, PORT))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
    assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN) == 5
    while True:
        answer(s)


def key_server(addr):
    listeners = []
    for port, key in KEYS.items():
        s = socket.create_server((addr, port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, key)
        listeners.append(s)
    while True:
        for s in select.select(listeners, [], [])[0]:
            answer(s)


def attempt(what, call):
    try:
        result = call()
    except OSError as e:
        result = errno.errorcode[e.errno]
    print(f"{what}: {result}", flush=True)
    return result


def wait_established(s):
    end = time.monotonic() + 5
    while s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0] != ESTABLISHED:
        if time.monotonic() > end:
            return
        time.sleep(0.001)


def finish(s):
    s.setblocking(True)
    wait_established(s)
    print("  taken of the SYN:", syn_data(s), flush=True)
    s.shutdown(socket.SHUT_WR)
    print("  the server:", read_all(s).decode(), flush=True)
    s.close()


def pattern(n):
    return bytes(i * 31 >> 3 & 255 for i in range(n))


def new(addr):
    s = socket.socket()
    s.bind((addr, 0))
    return s


def blocking(addr, to):
    s = new(addr)
    attempt("no cookie yet", lambda: s.sendto(b"hello", MSG_FASTOPEN, to))
    finish(s)
    s = new(addr)
    attempt("with a cookie", lambda: s.sendto(b"hello", MSG_FASTOPEN, to))
    attempt("once more", lambda: s.sendto(b"hello", MSG_FASTOPEN, to))
    finish(s)
    s = new(addr)
    parts = [pattern(700), pattern(200000)]
    attempt("more than a SYN carries", lambda: s.sendmsg(parts, [], MSG_FASTOPEN, to))
    finish(s)
    s = new(addr)
    attempt("nothing", lambda: s.sendto(b"", MSG_FASTOPEN, to))
    attempt("then a send", lambda: s.send(b"then"))
    finish(s)


def at_once(addr, to):
    s = new(addr)
    s.setblocking(False)
    attempt("not waiting", lambda: s.sendto(b"now", MSG_FASTOPEN, to))
    select.select([], [s], [], 5)
    attempt("its error", lambda: s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    attempt("its peer", lambda: s.getpeername() == to)
    attempt("more", lambda: s.send(b", and then"))
    finish(s)
    s = new(addr)
    attempt("MSG_DONTWAIT", lambda: s.sendto(b"now", MSG_FASTOPEN | socket.MSG_DONTWAIT, to))
    select.select([], [s], [], 5)
    finish(s)


def connect_first(addr, to):
    for block in (True, False):
        s = new(addr)
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        attempt("the option", lambda: s.getsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT))
        s.setblocking(block)
        attempt("connect", lambda: s.connect(to))
        attempt("writable", lambda: bool(select.select([], [s], [], 1)[1]))
        attempt("the first bytes", lambda: s.send(b"first"))
        select.select([], [s], [], 5)
        attempt("the next", lambda: s.send(b"next"))
        finish(s)


def refusals(addr, to):
    s = new(addr)
    attempt("nobody listens", lambda: s.sendto(b"hello", MSG_FASTOPEN, (to[0], 9101)))
    attempt("and again", lambda: s.sendto(b"hello", MSG_FASTOPEN, to))
    finish(s)
    s = new(addr)
    attempt("limit below zero", lambda: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, -1))
    attempt("limit", lambda: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 7))
    attempt("is", lambda: s.getsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN))
    s.close()


def client(addr, to):
    to = (to, PORT)
    blocking(addr, to)
    at_once(addr, to)
    connect_first(addr, to)
    refusals(addr, to)


def hasty(addr, to):
    """Ends while the SYN is still out. Linux drops such a connection; what was taken has to arrive."""
    to = (to, PORT)
    for how in ("sendto", "connect"):
        s = new(addr)
        if how == "sendto":
            s.setblocking(False)
            s.sendto(b"hasty", MSG_FASTOPEN, to)
            wait_established(s)
            s.setblocking(True)
        else:
            s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
            s.connect(to)
            s.send(b"hasty")
        s.shutdown(socket.SHUT_WR)
        print(how, read_all(s).decode(), flush=True)
        s.close()


def key_client(addr, to):
    """The cookie that the client has is the last that it was given: an old key is told a new one."""
    for port, why in ((9110, "a cookie of another key"), (9110, "its own"), (9111, "another listener, the same key"),
                      (9113, "the second of two keys"), (9112, "the first of them, meanwhile given"),
                      (9110, "a key that is no more"), (9111, "and again its own")):
        s = new(addr)
        attempt(why, lambda s=s, port=port: s.sendto(b"hello", MSG_FASTOPEN, (to, port)))
        finish(s)
    s = new(addr)
    for key in KEY_A, KEY_B + KEY_A, KEY_A[:15], b"":
        attempt("a key", lambda key=key: s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, key))
        attempt("is", lambda: s.getsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, 32).hex())
    s.close()


if sys.argv[1] == "server":
    server(sys.argv[2])
elif sys.argv[1] == "key-server":
    key_server(sys.argv[2])
elif sys.argv[1] == "key-client":
    key_client(sys.argv[2], sys.argv[3])
elif sys.argv[1] == "hasty":
    hasty(sys.argv[2], sys.argv[3])
else:
    client(sys.argv[2], sys.argv[3])
