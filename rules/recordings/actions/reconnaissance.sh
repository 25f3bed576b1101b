## Burst of questions about the machine
sh -c 'id; whoami; uname -a; hostname; ip addr; ss -ltn; ps; df; true'
## Burst of questions by a server's command
#also Identity asked from a service's shell
#also Shell started by a network server
server 'id; uname -a; ps; ip addr'
## Files searched for ways to root
find /home -perm -4000
## Files searched for ways to root by a server's command
#also Files searched for ways to root
#also Shell started by a network server
server 'find /home -perm -4000'
## Sweep by ping
#setup stubs /usr/bin/ping
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
## Accounts and groups listed by a server's command
#also Shell started by a network server
server 'cat /etc/passwd'
## Services listed by a server's command
#also Shell started by a network server
#setup mkdir -p /etc/systemd/system
server 'ls /etc/systemd/system'
## Connections listed by a server's command
#also Shell started by a network server
server 'cat /proc/net/tcp'
## Disks and devices listed by a server's command
#also Shell started by a network server
server 'lsblk'
## Logs read by a server's command
#also Shell started by a network server
#setup echo x > /var/log/auth.log
server 'grep Accepted /var/log/auth.log'
## Rules for passwords asked by a server's command
#also Shell started by a network server
server 'cat /etc/login.defs'
## Shares looked for by a server's command
#also Shell started by a network server
#setup stubs /usr/sbin/showmount
server 'showmount -e 10.9.8.7'
## Virtual machines and containers listed by a server's command
#also Shell started by a network server
#setup stubs /usr/bin/virsh
server 'virsh list --all'
## Place, language or time asked by a server's command
#also Shell started by a network server
#setup echo UTC > /etc/timezone
server 'cat /etc/timezone'
## Own address asked of a service
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes.fromhex("000101000001000000000000") + b"\x06ipinfo\x02io\0\0\1\0\1", ("10.9.8.1", 53))'
## History or bookmarks of a browser read
#setup mkdir -p /home/ann/.mozilla/firefox/x; echo x > /home/ann/.mozilla/firefox/x/places.sqlite
cat /home/ann/.mozilla/firefox/x/places.sqlite
