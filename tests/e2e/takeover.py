# SPDX-License-Identifier: MIT
"""
Programs that must not notice a takeover. Each says "ready" when it has begun, and waits for the file that it is given
where the takeovers are to come between.

    takeover.py transfer ADDR PORT MB	on the stack: sends and receives at once, tells both hashes
    takeover.py peer ADDR PORT MB	its other end, on the kernel's: the same
    takeover.py idle ADDR PORT FILE	a connection that rests, a reader that is blocked, an epoll set
    takeover.py listener PORT FILE	accepts by epoll, before and after
    takeover.py datagrams PORT FILE	UDP, connected and not, with something unread in between
    takeover.py connects ADDR PORT SECONDS	one connection after another
    takeover.py linger ADDR PORT FILE	closes, and waits until the peer has everything (SO_LINGER)
    takeover.py echo ADDR PORT		a server on the kernel's side
    takeover.py taker PATH HOW		asks for a takeover and then: hangs up, or reads other versions, or dies late
"""
import hashlib
import os
import select
import socket
import struct
import sys
import threading
import time


def ready():
    print("ready", flush=True)


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def block(seed, i):
    return hashlib.sha256(b"%d %d" % (seed, i)).digest() * 2048  # 64 KB


def both_ways(s, megabytes, seed):
    """Sends so much and reads until the end; (hash of what was sent, of what came)."""
    sent, came = hashlib.sha256(), hashlib.sha256()

    def send():
        for i in range(megabytes * 16):
            data = block(seed, i)
            sent.update(data)
            s.sendall(data)
            if i % 160 == 159:  # 10 MB: it takes long enough for takeovers to come between
                time.sleep(0.15)
        s.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    while data := s.recv(1 << 18):
        came.update(data)
    sender.join()
    return sent.hexdigest(), came.hexdigest()


def transfer(addr, port, megabytes):
    s = socket.create_connection((addr, int(port)))
    ready()
    print(*both_ways(s, int(megabytes), 1))


def peer(addr, port, megabytes):
    listener = socket.create_server((addr, int(port)))
    ready()
    sent, came = both_ways(listener.accept()[0], int(megabytes), 2)
    print(came, sent)


def echo(addr, port):
    listener = socket.create_server((addr, int(port)), backlog=64)

    def serve(c):
        while data := c.recv(65536):
            c.sendall(data)
        c.close()

    ready()
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def blocked_reader(s, got):
    got.append(s.recv(100))


def idle(addr, port, path):
    resting, blocking, watched = (socket.create_connection((addr, int(port))) for _ in range(3))
    got = []
    resting.sendall(b"before")
    assert resting.recv(100) == b"before"
    resting.sendall(b"unread")
    reader = threading.Thread(target=blocked_reader, args=(blocking, got))
    reader.start()
    ep = select.epoll()
    ep.register(watched.fileno(), select.EPOLLIN | select.EPOLLET)
    names = [s.getsockname() + s.getpeername() for s in (resting, blocking, watched)]
    ready()
    wait_for(path)
    assert not got and not ep.poll(0), "somebody was woken"
    assert resting.recv(100) == b"unread"
    resting.sendall(b"after")
    assert resting.recv(100) == b"after"
    blocking.sendall(b"wake up")
    reader.join(10)
    assert got == [b"wake up"]
    watched.sendall(b"edge")
    assert ep.poll(10) == [(watched.fileno(), select.EPOLLIN)]
    assert watched.recv(100) == b"edge"
    assert names == [s.getsockname() + s.getpeername() for s in (resting, blocking, watched)]
    assert resting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    watched.shutdown(socket.SHUT_WR)
    assert watched.recv(1) == b""
    print("unnoticed")


def listener(port, path):
    s = socket.create_server(("", int(port)))
    s.setblocking(False)
    ep = select.epoll()
    ep.register(s.fileno(), select.EPOLLIN)
    ready()
    for _ in range(2):
        assert ep.poll(20), "nobody came"
        c, _ = s.accept()
        c.setblocking(True)
        c.sendall(c.recv(100))
        c.close()
    wait_for(path)
    print("unnoticed")


def datagrams(port, path):
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("", int(port)))
    connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connected.connect(("10.0.0.5", int(port) + 1))
    connected.send(b"one")
    assert connected.recv(100) == b"one"
    connected.send(b"two")
    ready()
    wait_for(path)
    connected.send(b"three")
    assert [connected.recv(100), connected.recv(100)] == [b"two", b"three"]
    for want in (b"before", b"after"):
        data, source = bound.recvfrom(100)
        assert data == want, data
        bound.sendto(data, source)
    print("unnoticed")


def connects(addr, port, seconds):
    end, n, slowest = time.monotonic() + float(seconds), 0, 0.0
    ready()
    while time.monotonic() < end:
        began = time.monotonic()
        s = socket.create_connection((addr, int(port)), timeout=20)
        s.sendall(b"x")
        assert s.recv(1) == b"x"
        s.close()
        n, slowest = n + 1, max(slowest, time.monotonic() - began)
    print("unnoticed" if n > 20 else n)


def linger(addr, port, path):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 30))
    s.connect((addr, int(port)))
    ready()
    wait_for(path)
    s.sendall(b"x" * 1000)
    s.close()
    print("closed in order")


MAGIC = 0x53534C47


def taker(path, how, op, version):
    """What a new glassd says, as far as HOW goes."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.connect(path)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    newest, oldest = (99, 98) if how == "version" else (99, 1)
    request = struct.pack("=IHHQqqqq20sI", MAGIC, int(version), int(op), 0, newest, oldest, 0, 0, bytes(20), 0)
    control.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", theirs.fileno()))])
    theirs.close()
    answer = control.recv(4096)
    error, length = struct.unpack_from("=iI", answer, 8)
    if error:
        print(answer[-length:].decode())
        return
    if how == "hangup":
        return
    if how == "silent":
        time.sleep(1)
        return
    ours.send(b"b")
    head, _, _, _ = socket.recv_fds(ours, 100, 200)
    left = struct.unpack_from("=QQI", head)[2]
    while left > 0 and how == "late":
        left -= len(socket.recv_fds(ours, 10, 200)[1])
    print("gone", left == 0)


if __name__ == "__main__":
    roles = (transfer, peer, echo, idle, listener, datagrams, connects, linger, taker)
    {f.__name__: f for f in roles}[sys.argv[1]](*sys.argv[2:])
