"""Answers TCP and UDP on two ports and on port 53, and counts what arrives. Input: `seen` prints the packets since the
last `seen`; `send HOST PORT` sends a datagram from port 53; `connect HOST PORT` connects, and prints how it went."""
import select
import socket
import sys

IP = (0x0800, 0x86dd)
ICMP6 = 58
PORTS = (7001, 7002, 53)

streams, datagrams = [], []
for port in PORTS:
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('::', port))
    listener.listen(64)
    streams.append(listener)
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    made.bind(('::', port))
    datagrams.append(made)
sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
sniffer.setblocking(False)
clients = []
seen = 0


def drain():
    global seen
    while True:
        try:
            data, address = sniffer.recvfrom(65536)
        except BlockingIOError:
            return
        # neighbour discovery of the kernel is no packet of a program
        outgoing = address[2] == socket.PACKET_OUTGOING
        if not outgoing and address[1] in IP and not (address[1] == 0x86dd and data[6] in (ICMP6, 0)):
            seen += 1


def command(line):
    global seen
    name, *arguments = line.split()
    if name == 'seen':
        drain()
        print(seen, flush=True)
        seen = 0
    elif name == 'send':
        datagrams[2].sendto(b'unasked', (f'::ffff:{arguments[0]}', int(arguments[1])))
        print('sent', flush=True)
    elif name == 'connect':
        try:
            socket.create_connection((arguments[0], int(arguments[1])), 2).close()
            print('ok', flush=True)
        except OSError as error:
            print(type(error).__name__, flush=True)


print('ready', flush=True)
while True:
    ready, _, _ = select.select([sys.stdin, sniffer, *streams, *datagrams, *clients], [], [])
    for item in ready:
        if item is sys.stdin:
            line = sys.stdin.readline()
            if not line:
                sys.exit(0)
            command(line)
        elif item is sniffer:
            drain()
        elif item in streams:
            clients.append(item.accept()[0])
        elif item in datagrams:
            data, address = item.recvfrom(65536)
            item.sendto(data, address)
        else:
            try:
                data = item.recv(65536)
            except OSError:
                data = b''
            if data:
                item.sendall(data)
            else:
                clients.remove(item)
                item.close()
