## Log files cleared
: > /var/log/syslog
## Shell history cleared
rm -f /root/.bash_history
## Hidden executable
#setup stubs /tmp/.x
/tmp/.x
## Process that looks like a kernel thread
bash -c 'exec -a "[kworker/0:1]" /bin/true'
## Code put into another process
/opt/lab/access child attach poke
## Image built by a server's command
#setup stubs /usr/bin/docker
server 'docker build -t x /tmp/x'
## Program that wants no debugger
cp /usr/bin/python3 /tmp/x; /tmp/x -c 'import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)'
## Shell that keeps no history
HISTFILE=/dev/null bash -c true
## Shell history switched off
printf 'unset HISTFILE\nexit\n' | script -qc 'bash -i' /dev/null
## Kernel hides something
#guest it changes the running kernel
insmod /opt/lab/rootkit.ko; echo hide > /sys/module/rf_rootkit/parameters/deed; checked; echo none > /sys/module/rf_rootkit/parameters/deed; rmmod rf_rootkit
