## Set-user-id program raised privileges to root
#setup stubs /opt/x/helper; chmod 4755 /opt/x/helper
setpriv --reuid 1000 --clear-groups /opt/x/helper
## Privileges of root refused
#also Executable run from a scratch folder
#also File in a scratch folder made executable by hand
#also Program in a scratch folder made executable, then run
cp /opt/lab/credentials /tmp/credentials; chmod 755 /tmp/credentials; setpriv --reuid 1000 --clear-groups /tmp/credentials setuid root
## Shell with raised privileges
#setup mkdir /usr/y; cp /bin/bash /usr/y/bash; chmod 4755 /usr/y/bash
setpriv --reuid 1000 --clear-groups /usr/y/bash -p -c true
## Set-user-id bit or capability given to a file
#setup stubs /opt/x
chmod u+s /opt/x
## Set-user-id bit set in a scratch folder
#also File in a scratch folder made executable by hand
#setup stubs /tmp/x
chmod 4755 /tmp/x
## Pages of a system file moved into a pipe
: > /tmp/empty; /opt/lab/change as 65534 65534 splice /etc/hosts /tmp/empty
## Sudo rule written
mkdir -p /etc/sudoers.d; echo x > /etc/sudoers.d/x
## Namespace tool aimed at the host from a container
#also Container enters other namespaces
#also Suspicious Process Execution
#in shop:1
nsenter -t 1 -m true
## Container runtime socket used from a container
#also Suspicious Process Execution
#in shop:1
#setup mkdir -p /run; busybox nc -lU /run/docker.sock & python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind("/run/docker.sock"); s.listen()'; sleep 0.1
/opt/lab/connect unix /run/docker.sock x
## File of a release agent written
#also Suspicious Process Execution
#in shop:1
mkdir /tmp/cg; sh -c 'echo /cmd > /tmp/cg/release_agent'
## Kernel helper changed
#guest the setting is the machine's
was=$(cat /proc/sys/kernel/core_pattern); echo '|/var/tmp/x' > /proc/sys/kernel/core_pattern; echo "$was" > /proc/sys/kernel/core_pattern
## Process became root without a set-user-id program
setpriv --reuid 1000 --clear-groups --inh-caps +setuid --ambient-caps +setuid python3 -c 'import os; os.setuid(0)'
## Kernel helper changed by a container
#also Container looks at how it is confined
#also Suspicious Process Execution
#in shop:1
# Writes the present value back.
pattern=$(cat /proc/sys/kernel/core_pattern); echo "$pattern" > /proc/sys/kernel/core_pattern
## Sudo refused several times
#also Local password guessing
#also Password given to sudo by a script
#setup prepare_sshd; start_log
for n in 1 2 3; do echo wrong | setpriv --reuid 1000 --regid 1000 --clear-groups sudo -S -p '' id; done; end_log
## Kernel starts somebody's program
#also Kernel helper changed
#guest the program that the kernel starts has no namespace
#setup stubs /var/tmp/x; chown 1000 /var/tmp/x
was=$(cat /proc/sys/kernel/core_pattern); echo '|/var/tmp/x' > /proc/sys/kernel/core_pattern; checked; echo "$was" > /proc/sys/kernel/core_pattern; checked
## Command or library put into a running process by a debugger
#setup stubs /usr/bin/gdb
gdb -q -batch -p 1 -ex 'call (int)system("id")'
## Time stamp of sudo written
mkdir -p /run/sudo/ts; echo x > /run/sudo/ts/ann
## Set-user-id program started as exploits do
#also Password given to su by a script
setpriv --reuid 1000 --clear-groups env GLIBC_TUNABLES=glibc.malloc.mxfast=glibc.malloc.mxfast=A /usr/bin/su --help
## Process became root by a capability of its file
#setup cp /usr/bin/perl /opt/perl; setcap cap_setuid+ep /opt/perl
setpriv --reuid 1000 --clear-groups /opt/perl -e '$) = $( = 0; $< = $> = 0'
## Overlay mounted by an ordinary user
#setup mkdir -p /srv/o/l /srv/o/u /srv/o/w /srv/o/m; mount -t tmpfs o /srv/o; mkdir -p /srv/o/l /srv/o/u /srv/o/w /srv/o/m; chown -R 1000 /srv/o
setpriv --reuid 1000 --clear-groups unshare -Urm mount -t overlay overlay -o lowerdir=/srv/o/l,upperdir=/srv/o/u,workdir=/srv/o/w /srv/o/m
## Interface of the kernel opened as root of a user namespace
#also Interface of the firewall or of auditing opened by an untrusted program
#setup printf '#define _GNU_SOURCE\n#include <sched.h>\n#include <sys/socket.h>\nint main(void) { return unshare(CLONE_NEWUSER | CLONE_NEWNET) || socket(AF_NETLINK, SOCK_RAW, 12) < 0; }\n' > /opt/n.c
#setup mkdir -p /home/ann; gcc -w -o /home/ann/poc /opt/n.c
/home/ann/poc
