# SPDX-License-Identifier: MIT
"""Echo servers in three fashions, and their clients: echo.py asyncio|threads|prefork PORT, clients PORT HOST."""
import asyncio
import multiprocessing
import os
import socket
import socketserver
import sys

CLIENTS = 40
BYTES = 100000


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


def threads(port):
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.request_queue_size = CLIENTS
    socketserver.ThreadingTCPServer(('', port), Echo).serve_forever()


def accept_for_ever(listener):
    while True:
        connection, address = listener.accept()
        with connection:
            Echo(connection, address, None)


def prefork(port):
    listener = socket.create_server(('', port), backlog=CLIENTS)
    workers = [multiprocessing.Process(target=accept_for_ever, args=(listener,), daemon=True) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def asyncio_server(port):
    server = await asyncio.start_server(echo, None, port)
    async with server:
        await server.serve_forever()


async def client(host, port, n):
    reader, writer = await asyncio.open_connection(host, port)
    data = os.urandom(BYTES + n)

    async def send():
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    got = await reader.read(-1)
    await sending
    writer.close()
    return got == data


async def clients(host, port):
    return all(await asyncio.gather(*(client(host, port, n) for n in range(CLIENTS))))


def main():
    what, port = sys.argv[1], int(sys.argv[2])
    if what == 'clients':
        sys.exit(0 if asyncio.run(clients(sys.argv[3], port)) else 1)
    elif what == 'asyncio':
        asyncio.run(asyncio_server(port))
    else:
        {'threads': threads, 'prefork': prefork}[what](port)


main()
