"""The outside of a sandbox: answers on its addresses, so that attacks get what they ask for.

outside.py PROGRAM CERTIFICATE READY: PROGRAM is the file of downloads, CERTIFICATE a PEM file with its key. The file
READY is made when every port answers.

HTTP (80, 8000, 8080) and HTTPS (443, 8443): a script for .sh and .py, an archive for .tgz, PROGRAM for the rest; POST
and PUT take everything. TCP that reads all and stays open. A server that answers each line with 250. UDP that reads
all. A name server that gives every name the address 203.0.113.9.
"""
import http.server
import io
import pathlib
import socket
import ssl
import sys
import tarfile
import threading

PROGRAM = pathlib.Path(sys.argv[1]).read_bytes()
ADDRESS = bytes([203, 0, 113, 9])
NAME_SERVERS = ["10.9.8.1", "8.8.8.8", "1.1.1.1"]


def archive():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        entry = tarfile.TarInfo("tool")
        entry.size, entry.mode = len(PROGRAM), 0o755
        tar.addfile(entry, io.BytesIO(PROGRAM))
    return out.getvalue()


FILES = {".sh": b"#!/bin/sh\nid\n", ".py": b"print()\n", ".tgz": archive(), ".html": b"<html></html>\n"}


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        self.answer(FILES.get(pathlib.PurePosixPath(path).suffix, PROGRAM))

    def take(self):
        left = int(self.headers.get("Content-Length") or 0)
        while left > 0 and (part := self.rfile.read(min(left, 65536))):
            left -= len(part)
        self.answer(b"ok\n")

    do_HEAD = do_GET
    do_POST = do_PUT = do_PATCH = do_DELETE = take

    def log_message(self, *_):
        pass


def serve(work):
    threading.Thread(target=work, daemon=True).start()


def web(port, context):
    server = http.server.ThreadingHTTPServer(("", port), Answers)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    serve(server.serve_forever)


def tcp(port, greeting, reply):
    server = socket.create_server(("", port))

    def talk(client):
        try:
            client.sendall(greeting)
            while data := client.recv(65536):
                client.sendall(reply * data.count(b"\n"))
        except OSError:
            pass  # The peer has gone.

    def accept():
        while True:
            client, _ = server.accept()
            serve(lambda: talk(client))

    serve(accept)


def udp(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", port))

    def read():
        while True:
            sock.recv(65536)

    serve(read)


def names(address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))

    def answer():
        while True:
            query, peer = sock.recvfrom(4096)
            end = 12
            while end < len(query) and query[end]:
                end += query[end] + 1
            question = query[12:end + 5]
            data = {1: ADDRESS, 16: b"\x02ok"}.get(int.from_bytes(question[-4:-2], "big"))
            head = query[:2] + b"\x81\x80\x00\x01" + (b"\x00\x01" if data else b"\x00\x00") + bytes(4)
            record = b"\xc0\x0c" + question[-4:] + bytes([0, 0, 0, 60, 0, len(data)]) + data if data else b""
            sock.sendto(head + question + record, peer)

    serve(answer)


secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
secure.load_cert_chain(sys.argv[2])
for port in (80, 8000, 8080):
    web(port, None)
for port in (443, 8443):
    web(port, secure)
for port in (1337, 3333, 4444, 5555, 6667, 9001):
    tcp(port, b"", b"")
for port in (21, 25, 587):
    tcp(port, b"220 ok\r\n", b"250 ok\r\n")
for port in (123, 514, 5000):
    udp(port)
for address in NAME_SERVERS:
    names(address)
pathlib.Path(sys.argv[3]).touch()
threading.Event().wait()
