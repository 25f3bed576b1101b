## passes requests on
#desc a server for caching, names and load balancing: memcached, HAProxy with health checks, dnsmasq, clients of all three
#in host
#in haproxy:2
#needs memcached haproxy dnsmasq
#setup id haproxy > /dev/null 2>&1 || useradd -r haproxy; mkdir -p /srv/ha /var/lib/haproxy
memcached -u nobody -l 127.0.0.1 -p 11211 & m=$!; dnsmasq -k -C /dev/null -p 53 -a 127.0.0.1 -z -u nobody --address=/lab.example/10.9.8.7 -x /run/dnsmasq.pid & for p in 8101 8102; do (cd /usr/share/doc/bash && exec python3 -m http.server -b 10.9.8.9 $p > /dev/null 2>&1) & done
printf 'global\n stats socket /run/ha.sock\n user haproxy\n pidfile /run/ha.pid\ndefaults\n mode http\n timeout connect 2s\n timeout client 5s\n timeout server 5s\nfrontend f\n bind 127.0.0.1:8100\n default_backend b\nbackend b\n option httpchk GET /copyright\n server a 10.9.8.9:8101 check inter 400\n server b 10.9.8.9:8102 check inter 400\n' > /srv/ha.cfg; haproxy -c -f /srv/ha.cfg; haproxy -D -f /srv/ha.cfg; sleep 1
python3 - <<'P'
import socket, urllib.request
c = socket.create_connection(("127.0.0.1", 11211))
for n in range(400): c.sendall(b"set k%d 0 0 1\r\nx\r\nget k%d\r\n" % (n, n)); c.recv(200)
for n in range(250): urllib.request.urlopen("http://127.0.0.1:8100/copyright").read()
def ask(name, kind):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1); q = b"".join(bytes([len(p)]) + p for p in name.encode().split(b"."))
    s.sendto(bytes.fromhex("000101000001000000000000") + q + bytes([0, 0, kind, 0, 1]), ("127.0.0.1", 53))
    try: s.recv(512)
    except OSError: pass
for n in range(150): ask("host%d.lab.example" % n, 1)
for n in range(10): ask("lab.example", 28)
for n in range(5): ask("_dmarc.lab.example", 16)
P
for n in $(seq 1 20); do curl -s http://127.0.0.1:8100/copyright > /dev/null; done; echo 'show stat' | python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect("/run/ha.sock"); s.sendall(sys.stdin.buffer.read()); s.recv(9000)'; echo stats | timeout 1 nc 127.0.0.1 11211 2> /dev/null; haproxy -D -f /srv/ha.cfg -sf "$(cat /run/ha.pid)"; sleep 4; kill -USR1 "$(cat /run/ha.pid)"; kill $m "$(cat /run/dnsmasq.pid)"; pkill python3
