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
