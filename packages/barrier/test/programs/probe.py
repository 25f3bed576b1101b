"""Exchanges packets with an address, and prints how it went: one word per line of input.

Input: tcp HOST PORT | udp HOST PORT | raw | query HOST NAME | query-tcp HOST NAME | malformed HOST NAME
       hold tcp|udp|raw HOST PORT   opens a socket, and keeps it
       use                          exchanges something over the socket that is kept
       listen PORT                  accepts connections, without answering
       bind HOST PORT               opens a socket for datagrams; receive: the next of them
       sniff                        opens a packet socket
"""
import errno
import socket
import struct
import sys

WAIT = 2
held = None


def family(host):
    return socket.AF_INET6 if ':' in host else socket.AF_INET


def opened(kind, host):
    made = socket.socket(family(host), kind)
    made.settimeout(WAIT)
    return made


def tcp(host, port):
    with opened(socket.SOCK_STREAM, host) as s:
        s.connect((host, int(port)))
        s.sendall(b'x')
        return 'ok' if s.recv(1) else 'closed'


def udp(host, port):
    with opened(socket.SOCK_DGRAM, host) as s:
        s.sendto(b'x', (host, int(port)))
        return 'ok' if s.recv(1) else 'closed'


def raw():
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).close()
    return 'ok'


def question(name, header=b'\x12\x34\x01\0\0\1\0\0\0\0\0\0'):
    labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.'))
    return header + labels + b'\0\0\1\0\1'


def query(host, name):
    with opened(socket.SOCK_DGRAM, host) as s:
        s.sendto(question(name), (host, 53))
        return 'ok' if s.recv(512) else 'closed'


def query_tcp(host, name):
    with opened(socket.SOCK_STREAM, host) as s:
        s.connect((host, 53))
        text = question(name)
        s.sendall(struct.pack('>H', len(text)) + text)
        return 'ok' if s.recv(512) else 'closed'


def malformed(host, name):
    """Two questions, of which the first is allowed."""
    two = question(name, b'\x12\x34\x01\0\0\2\0\0\0\0\0\0') + question('tunnel.test')[12:]
    with opened(socket.SOCK_DGRAM, host) as s:
        s.sendto(two, (host, 53))
        return 'ok' if s.recv(512) else 'closed'


def hold(kind, host, port):
    global held
    kinds = {'tcp': socket.SOCK_STREAM, 'udp': socket.SOCK_DGRAM}
    if kind == 'raw':
        made = socket.socket(family(host), socket.SOCK_RAW, socket.IPPROTO_UDP)
    else:
        made = opened(kinds[kind], host)
        made.connect((host, int(port)))
    held = (kind, made, host, int(port))
    return 'ok'


def use():
    kind, made, host, port = held
    if kind == 'raw':
        made.sendto(struct.pack('>HHHH', 4711, port, 9, 0) + b'x', (host, 0))
        return 'sent'
    made.send(b'x')
    return 'ok' if made.recv(1) else 'closed'


def listen(port):
    global held
    made = socket.create_server(('', int(port)))
    held = ('listen', made, '', int(port))
    return 'ok'


def bind(host, port):
    global held
    made = opened(socket.SOCK_DGRAM, host)
    made.bind((host, int(port)))
    held = ('bound', made, host, int(port))
    return 'ok'


def sniff():
    global held
    held = ('packet', socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)), '', 0)
    return 'ok'


def receive():
    return 'ok' if held[1].recv(100) else 'closed'


calls = {
    'tcp': tcp, 'udp': udp, 'raw': raw, 'query': query, 'query-tcp': query_tcp,
    'malformed': malformed, 'hold': hold, 'use': use, 'listen': listen, 'bind': bind, 'receive': receive,
    'sniff': sniff,
}
print('ready', flush=True)
for line in sys.stdin:
    name, *arguments = line.split()
    try:
        print(calls[name](*arguments), flush=True)
    except socket.timeout:
        print('timeout', flush=True)
    except OSError as error:
        print(errno.errorcode.get(error.errno, str(error)), flush=True)
