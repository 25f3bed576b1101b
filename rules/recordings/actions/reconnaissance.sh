## Burst of questions about the machine
sh -c 'id; whoami; uname -a; hostname; ip addr; ss -ltn; ps; df; true'
## Burst of questions by a server's command
#also Identity asked from a service's shell
#also Processes listed by a server's command
#also Shell started by a network server
server 'id; uname -a; ps; ip addr'
## Files searched for ways to root
find /home -perm -4000
## Files searched for ways to root by a server's command
#also Shell started by a network server
server 'find /home -perm -4000'
## Sweep by ping
#setup stubs /usr/bin/ping
for n in $(seq 1 20); do ping -c 1 10.0.0.$n; done
## Port scan
#setup printf '%s\n' 'import socket' 'for port in range(1, 62): socket.socket().connect_ex(("10.9.8.7", port))' > /srv/scan.py
python3 /srv/scan.py
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
#also Tool that lists accounts of a domain started
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
#also Code without a file asks for a name of the internet
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes.fromhex("000101000001000000000000") + b"\x06ipinfo\x02io\0\0\1\0\1", ("10.9.8.1", 53))'
## History or bookmarks of a browser read
#setup mkdir -p /home/ann/.mozilla/firefox/x; echo x > /home/ann/.mozilla/firefox/x/places.sqlite
cat /home/ann/.mozilla/firefox/x/places.sqlite
## Ways to root searched for by a user
setpriv --reuid 1000 --regid 1000 --clear-groups find /usr /srv -maxdepth 1 -perm -4000
## Socket of a container engine searched for in a container
#also Suspicious Process Execution
#in shop:1
find /srv -name docker.sock
## Security tools asked for one after another
#also Security tools looked for
pgrep auditd; pgrep falco; pgrep wazuh; pgrep osqueryd
## Folders of security products looked into
#setup mkdir -p /var/ossec /etc/falco
python3 -c '
for path in ("/opt/CrowdStrike/a", "/opt/sentinelone/a", "/var/ossec/a", "/etc/falco/a", "/etc/osquery/a"):
  try: open(path)
  except OSError: pass'
## Rival miners looked for
pgrep -f xmrig; pgrep -f kinsing
## Tool that lists accounts of a domain started
#also Tool for Windows machines started
#setup stubs /usr/bin/rpcclient
rpcclient -U '' -N 10.9.8.3 -c enumdomusers
## Directory service searched
#setup stubs /usr/bin/ldapsearch
ldapsearch -x -H ldap://10.9.8.3 '(objectClass=group)' cn
## Environment or owners of many processes read
#also Processes listed by an untrusted program
#setup for n in 1 2 3 4 5 6 7 8 9; do sleep 300 & done
sh -c 'for p in /proc/[0-9]*; do read -r name < $p/comm; done; :'
## Network of a container explored by its shell
#also Network of the machine read by an untrusted program
#also Suspicious Process Execution
#in shop:1
for table in route arp fib_trie; do read -r line < /proc/net/$table; done
## Hardening of the kernel looked at by a user
setpriv --reuid 1000 --regid 1000 --clear-groups cat /proc/sys/kernel/randomize_va_space /proc/sys/kernel/perf_event_paranoid /proc/sys/user/max_user_namespaces /proc/sys/kernel/dmesg_restrict
## Socket of virtual machines or containers used by an untrusted program
#setup mkdir -p /run/libvirt; python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind("/run/libvirt/libvirt-sock"); s.listen(); s.accept()' & until [ -S /run/libvirt/libvirt-sock ]; do sleep 0.05; done
python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("/run/libvirt/libvirt-sock")'
## Desktop asked by an untrusted program
#setup mkdir -p /tmp/.X11-unix; python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind("/tmp/.X11-unix/X0"); s.listen(); s.accept()' & until [ -S /tmp/.X11-unix/X0 ]; do sleep 0.05; done
python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("/tmp/.X11-unix/X0")'
## Keyboards looked for
cat /proc/bus/input/devices
## Definitions of virtual machines read
#setup mkdir -p /etc/libvirt/qemu; echo x > /etc/libvirt/qemu/db.xml
python3 -c 'open("/etc/libvirt/qemu/db.xml").read()'
## Services of a cluster looked up one after another
#also Suspicious Process Execution
#in shop:1
python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in b"abcde": s.sendto(bytes.fromhex("000101000001000000000000") + b"\x01%c\x03svc\x07cluster\x05local\0\0\x01\0\x01" % n, ("10.9.8.1", 53))'
## Installed packages listed by a user
setpriv --reuid 1000 --regid 1000 --clear-groups dpkg-query -W -f x
## Logs searched by a user
setpriv --reuid 1000 --regid 1000 --clear-groups journalctl -q -n 1
## Connections read by code without a file
python3 -c 'open("/proc/net/tcp").read()'
