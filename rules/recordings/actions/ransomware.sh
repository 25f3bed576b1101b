## Many files encrypted
python3 -c '
for n in range(25): open(f"/home/ann/{n}.docx.locked", "w").close()'
## Many files encrypted by a tool
#also File encrypted or decrypted with a password on the command line
for n in $(seq 1 11); do openssl enc -aes-256-cbc -pbkdf2 -k x -in /etc/hosts -out /home/ann/$n.e; done
## Ransom note written
echo pay > /home/ann/HOW_TO_DECRYPT.txt
## Many files of one kind overwritten in place
#setup cp /bin/tee /home/ann/tool; for n in $(seq 1 110); do echo x > /home/ann/$n.docx; done
/home/ann/tool /home/ann/*.docx < /etc/hosts
## Copies for restoring removed
rm -rf /var/backups/x
## Many services stopped
#also Server stopped by hand
#also Several servers stopped one after another
for n in mysql nginx docker php redis cups; do systemctl stop $n; done
## Many accounts locked
#also Account locked or taken away by a command
for n in 1 2 3 4 5 6; do userdel nobody$n; done
## Miners of others ended by name
pkill -9 -f kdevtmpfsi
## Machine tuned for mining
#setup stubs /usr/sbin/wrmsr
wrmsr -a 0x1a4 0xf
## Mining pool's name asked for
timeout 2 busybox nslookup pool.supportxmr.com 10.9.8.1
## Web page replaced by a server's command
#also Shell started by a network server
#setup mkdir -p /var/www/html
server 'echo x > /var/www/html/index.html'
## Machine stopped by a server's command
#also Shell started by a network server
#setup stubs /usr/sbin/reboot
server '/usr/sbin/reboot -f'
## Fork bomb typed
#setup stubs /usr/bin/bash
bash -c ':(){ :|:& };:'
## Disk overwritten by an untrusted program
#setup truncate -s 1M /tmp/disk; losetup /dev/loop7 /tmp/disk; cp /bin/tee /home/ann/tool
/home/ann/tool /dev/loop7 < /etc/hostname; losetup -d /dev/loop7
## Many files given a new ending
#setup mkdir -p /srv/share; for n in $(seq 31); do echo x > /srv/share/$n.xlsx; done
python3 -c '
import os
for n in range(1, 32): os.rename(f"/srv/share/{n}.xlsx", f"/srv/share/{n}.xlsx.k7")'
## Disk images given a new ending
#setup mkdir -p /var/lib/libvirt/images; for n in 1 2 3; do echo x > /var/lib/libvirt/images/$n.qcow2; done
cd /var/lib/libvirt/images; for n in 1 2 3; do mv $n.qcow2 $n.qcow2.z; done
## Many documents overwritten in place
#setup mkdir -p /srv/work; for n in $(seq 21); do echo x > /srv/work/$n.pdf; done
python3 -c '
for n in range(1, 22): open(f"/srv/work/{n}.pdf", "r+b").write(b"y")'
## Backups removed or overwritten by hand
#also Copies for restoring removed
#setup mkdir -p /var/backups; for n in 1 2 3 4 5 6; do echo x > /var/backups/$n.gz; done
rm -rf /var/backups/1.gz /var/backups/2.gz /var/backups/3.gz /var/backups/4.gz /var/backups/5.gz /var/backups/6.gz
## Many files of a service removed
#setup mkdir -p /var/lib/app/data; for n in $(seq 60); do echo x > /var/lib/app/data/$n.json; done
rm -rf /var/lib/app/data
## Files of a database overwritten
#also Files of a database changed behind its back
#setup mkdir -p /var/lib/mysql/shop; for n in 1 2 3; do echo x > /var/lib/mysql/shop/$n.ibd; done
for n in 1 2 3; do dd if=/dev/zero of=/var/lib/mysql/shop/$n.ibd bs=1 count=1 conv=notrunc status=none; done
## Rescue mode switched off
#setup mkdir -p /etc/systemd/system
ln -sf /dev/null /etc/systemd/system/rescue.target
## Several servers killed
#setup for s in mysqld postgres mongod; do cp /bin/sleep /usr/sbin/$s; done
for s in mysqld postgres mongod; do /usr/sbin/$s 60 & sleep 0.3; kill -9 $!; done; wait
## Servers ended by their names
for s in mysqld postgres mongod; do pkill -x $s; done; true
## Server of a container ended by its name
#also Suspicious Process Execution
#in shop:1
pkill -9 -x redis-server; true
## Logins switched off
echo x > /etc/nologin
## Messages written to several terminals
#also Terminal of others opened by an untrusted program
#setup for n in 1 2; do timeout 20 script -qc 'sleep 15' /dev/null > /dev/null 2>&1 & done; sleep 1
python3 -c '
import glob
for t in glob.glob("/dev/pts/[0-9]*"): open(t, "w").write("x")'
## Message to all users or a new background picture
#setup stubs /usr/bin/gsettings
gsettings set org.gnome.desktop.background picture-uri file:///srv/x.png
## Machine stopped by force
#setup stubs /usr/bin/systemctl
setsid systemctl reboot --force
## Files moved into an archive with a password
#setup stubs /usr/bin/zip
zip -q -r -m -P x locked.zip .
## Web server over a scratch folder
mkdir -p /var/tmp/.pub; cd /var/tmp/.pub; timeout 1 busybox httpd -f -p 9180 -h .; true
## Service crashes several times
#setup printf 'int main(void) { *(volatile int *)0 = 1; }\n' > /opt/c.c; gcc -o /usr/sbin/crashd /opt/c.c
for n in 1 2 3 4; do /usr/sbin/crashd; done; true
## Large file of nothing made in a scratch folder
#also Data written to a hidden file of a scratch folder
dd if=/dev/zero of=/tmp/.fill bs=1k count=150 status=none
## Data of a database changed on a command line
#setup stubs /usr/bin/sqlite3
sqlite3 /srv/a.db 'update a set balance = 1'
## Settings of an application edited in place
#setup mkdir -p /var/www/shop; echo A=b > /var/www/shop/.env
sed -i s/b/c/ /var/www/shop/.env
## Files written anew and their originals removed
#also Many documents removed by an untrusted program
#setup mkdir -p /srv/work; for n in $(seq 40); do echo x > /srv/work/$n.docx; done
python3 -c '
import os
for n in range(1, 41): open(f"/srv/work/{n}.a7", "w").close(); os.unlink(f"/srv/work/{n}.docx")'
## Timer of a backup switched off
#setup stubs /usr/bin/systemctl
systemctl disable --now restic-backup.timer
## Several containers stopped by one command
#also Containers or virtual machines listed by hand
#setup stubs /usr/bin/docker
/usr/bin/docker kill a b c
## Partition table removed by a tool
#setup stubs /usr/sbin/wipefs
wipefs -a /dev/sdb
## Machine stopped by a command
#setup stubs /usr/bin/systemctl
systemctl reboot
## Start page of a site written by a tool for texts
#setup mkdir -p /var/www/html; echo x > /var/www/html/index.html
sed -i s/x/y/ /var/www/html/index.html
## Several databases removed on the command line
#also Data of a database changed on a command line
#setup stubs /usr/bin/psql
for name in a b c; do psql -h 10.9.8.7 -c "DROP DATABASE $name"; done; :
