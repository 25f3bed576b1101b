## Port scan from a container
#also Suspicious Process Execution
#in shop:1
for port in $(seq 1 21); do /opt/lab/connect tcp4 10.9.8.7 $port; done
## Network sweep
#also Many machines logged in to
python3 -c '
import socket
for host in range(1, 31):
  s = socket.socket(); s.connect_ex(("10.9.8.%d" % host, 22)); s.close()'
## Scanner started
#setup stubs /usr/bin/nmap
nmap -sS 10.9.8.0/24
## Identity asked from a service's shell
#also Shell started by a network server
server 'id'
## Packets captured in a container
#also Suspicious Process Execution
#in shop:1
/opt/lab/sockets socket 17 3 768
## Ports tried one by one
#also Mailbox fetched by a command
#also Reverse shell by bash's own network
#also Shell connects to the network
bash -c 'for port in 21 22 23 25 53 80 110 139 143 443 445 1433 8081; do (: > /dev/tcp/10.9.8.7/$port); done'
## Ports tried by code without a file
python3 -c '
import socket
for port in range(1000, 1010): socket.socket().connect_ex(("10.9.8.7", port))'
## Names of many addresses looked up
python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(10, 40): s.sendto(bytes.fromhex("000101000001000000000000") + b"\x02%d\x018\x019\x0210\x07in-addr\x04arpa\0\0\x0c\0\1" % n, ("10.9.8.1", 53))'
## Connection to a directory service by code without a file
#setup listener 389
python3 -c 'import socket; socket.socket().connect_ex(("10.9.8.3", 389))'
## Connection to shared folders by code without a file
#setup listener 445
python3 -c 'import socket; socket.socket().connect_ex(("10.9.8.3", 445))'
## Connection to a mail server by code without a file
#setup listener 25
python3 -c 'import socket; socket.socket().connect_ex(("10.9.8.4", 25))'
