## Log files cleared
: > /var/log/syslog
## Shell history cleared
rm -f /root/.bash_history
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
#also Shell history cleared
HISTFILE=/dev/null bash -c true
## Shell history switched off
printf 'unset HISTFILE\nexit\n' | script -qc 'bash -i' /dev/null
## Kernel hides something
#also Kernel module loaded from a file
#guest the action changes the running kernel
insmod /opt/lab/rootkit.ko; echo hide > /sys/module/rf_rootkit/parameters/deed; checked; echo none > /sys/module/rf_rootkit/parameters/deed; rmmod rf_rootkit
