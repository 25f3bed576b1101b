## Whole folder of the system removed
#setup stubs /usr/bin/rm
rm -rf /srv
## Files removed all over the machine
#setup mkdir -p /srv/d; for n in 1 2 3 4 5 6 7 8 9 10; do touch /root/d$n /srv/d/d$n; done
rm /root/d*; rm /srv/d/d*
## Many documents emptied
#setup mkdir -p /srv/d; for n in $(seq 16); do echo x > /srv/d/$n.odt; done
sh -c 'for f in /srv/d/*.odt; do : > $f; done'
## Many documents removed by an untrusted program
#setup mkdir -p /srv/d; for n in $(seq 16); do echo x > /srv/d/$n.odt; done
python3 -c '
import glob, os
for path in glob.glob("/srv/d/*.odt"): os.remove(path)'
## Files encrypted by a tool, then the originals removed
#also File encrypted or decrypted with a password on the command line
#setup mkdir -p /srv/d; for n in 1 2 3 4; do echo x > /srv/d/$n.odt; done
for n in 1 2 3 4; do openssl enc -aes-256-cbc -pbkdf2 -k x -in /srv/d/$n.odt -out /srv/d/$n.bin; done; rm /srv/d/*.odt
## Same note written into many folders
#setup mkdir -p /srv/d/1 /srv/d/2 /srv/d/3 /srv/d/4 /srv/d/5
for n in 1 2 3 4 5; do echo x > /srv/d/$n/READ_ME_NOW.txt; done
## Storage of the machine removed or formatted
#setup stubs /usr/sbin/zpool
zpool destroy tank
## All copies for restoring removed
#setup stubs /usr/bin/timeshift
timeshift --delete-all
## Kernel or boot image removed by hand
#setup mkdir -p /boot; touch /boot/vmlinuz-x
rm /boot/vmlinuz-x
## Server stopped by hand
systemctl stop mariadb || true
## Several servers stopped one after another
#also Server stopped by hand
systemctl stop mariadb; systemctl stop nginx; systemctl stop postgresql; true
## Service stopped over the bus by an untrusted program
#setup mkdir -p /run/dbus; python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("/run/dbus/system_bus_socket"); s.listen(); time.sleep(60)' & until [ -S /run/dbus/system_bus_socket ]; do sleep 0.05; done
python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("/run/dbus/system_bus_socket")'
## Command over the bus that stops services or the machine
#setup stubs /usr/bin/busctl
busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StopUnit ss mariadb.service replace
## Account locked or taken away by a command
#setup stubs /usr/bin/passwd
passwd -l ann
## Root locked out
#setup stubs /usr/bin/passwd
passwd -l root
## Passwords of several accounts changed at once
#setup pwconv
for n in 1 2 3 4; do echo "ann:right$n" | chpasswd; done
## Keys that let a user in removed
#setup mkdir -p /root/.ssh; touch /root/.ssh/authorized_keys
rm /root/.ssh/authorized_keys
## Start pages replaced by one program
#also Start page of a site written by a tool for texts
#setup mkdir -p /var/www/1 /var/www/2 /var/www/3
sh -c 'for n in 1 2 3; do echo x > /var/www/$n/index.html; done'
## Text shown to all who log in written by hand
sh -c 'echo x > /etc/motd'
## Firmware or its settings opened by hand
#setup stubs /usr/bin/dd
dd if=/dev/null of=/dev/mtd0 || true
## Address of coins or an algorithm of mining on a command line
#setup stubs /opt/worker
/opt/worker --algo=randomx
## Machine made ready for a program that computes all day
#also Executable run from a scratch folder
#setup cp /bin/true /tmp/x
nice -n 19 /tmp/x
## Sharing of files with strangers started
#setup stubs /usr/bin/transmission-cli
transmission-cli x.torrent
## Flood sent by a tool of the system
#setup stubs /usr/bin/ping
ping -f 203.0.113.9
## Flood of connections by an untrusted program
python3 -c '
import socket
for n in range(110): socket.socket().connect_ex(("10.9.8.6", 8080))'
## Many reflectors asked
#also Time asked of a server by an untrusted program
#setup ip route replace local 0.0.0.0/0 dev lo
python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(1, 25): s.sendto(b"x", ("203.0.113.%d" % n, 123))'
## Very many files made by a script
#setup mkdir -p /var/tmp/f
sh -c 'for n in $(seq 310); do : > /var/tmp/f/$n; done'
## Memory or disk filled by a command
#setup stubs /usr/bin/stress
stress --vm 1
## Machine stopped past its services
#setup stubs /usr/sbin/kexec
kexec -e
## Traffic of others led elsewhere by the firewall
#also Firewall changed by hand
#setup stubs /usr/sbin/iptables
iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-port 8080
## Data of an application changed in place by a script
#setup mkdir -p /srv/shop; echo 'a,1' > /srv/shop/orders.csv
sed -i s/1/2/ /srv/shop/orders.csv
