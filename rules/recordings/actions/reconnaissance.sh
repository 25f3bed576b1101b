## Burst of questions about the machine
sh -c 'id; whoami; uname -a; hostname; ip addr; ss -ltn; ps; df; true'
## Burst of questions by a server's command
server 'id; uname -a; ps; ip addr'
## Files searched for ways to root
find /home -perm -4000
## Files searched for ways to root by a server's command
server 'find /home -perm -4000'
## Sweep by ping
#setup named /usr/bin/ping
for n in $(seq 1 20); do ping -c 1 10.0.0.$n; done
## Port scan
python3 -c '
import socket
for port in range(1, 62):
  s = socket.socket(); s.connect_ex(("10.9.8.7", port)); s.close()'
## Security tools looked for
pgrep auditd
## Machine asked whether it is a virtual one
systemd-detect-virt
