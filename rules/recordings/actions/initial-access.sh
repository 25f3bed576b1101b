## Shell started by a network server
server 'true'
## Shell started by an application in a container
#in shop:1
node -e 'require("child_process").execSync("true")'
## Interpreter started by a network server in a container
#in shop:1
/usr/sbin/httpd -c 'python3 -c pass; true'
## Shell started by a viewer of documents
#setup shell /usr/bin/evince
evince -c 'sh -c true; true'
## Program run from a removable disk
#setup mkdir -p /media 2>/dev/null; mount -t tmpfs none /media; named /media/ann/STICK/setup
/media/ann/STICK/setup
## Download tool started by an install script
sh -c 'curl -s http://10.9.8.7/ || true; : postinstall'
