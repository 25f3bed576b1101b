## Program named like a service of the system
#setup stubs /home/ann/sshd
/home/ann/sshd -D
## Cgroup named like a container
#guest the processes of the sandbox have namespaces of their own, as those of a container
g=/sys/fs/cgroup/docker-$(printf 'a1%.0s' $(seq 32)).scope; mkdir $g; sh -c "echo 0 > $g/cgroup.procs; sleep 12"; rmdir $g
## Container that no runtime knows
#also User namespace made in a container
#guest the finding is of the host, not of the sandbox's cgroup
g=/sys/fs/cgroup/docker-$(printf 'b1%.0s' $(seq 32)).scope; mkdir $g; sh -c "echo 0 > $g/cgroup.procs; exec unshare -U -n sleep 14"; rmdir $g
## Program named like a thread of the kernel
#also Executable run from a scratch folder
#setup stubs /tmp/kworker
/tmp/kworker
## Program with a misleading name
#setup stubs /home/ann/holiday.jpg
/home/ann/holiday.jpg
## Folder named like a way up
mkdir /tmp/...; echo x > /tmp/.../x
## Program run from a place for data
#setup stubs /var/log/x
/var/log/x
## Program run from a web folder
#setup stubs /var/www/html/x
/var/www/html/x
## Program run through the loader
#setup stubs /dev/shm/x
/lib64/ld-linux-x86-64.so.2 /dev/shm/x; for l in /lib/ld-linux-*; do $l /dev/shm/x; done
## Interpreter makes a file in memory
python3 -c 'import os; os.memfd_create("x")'
## Memory for code that is written while it runs
#also Executable run from a scratch folder
cp /opt/lab/memory /tmp/memory; /tmp/memory mmap-anonymous; /tmp/memory mprotect; /tmp/memory mmap
## Process hidden by a mount
sleep 1 & mkdir /tmp/e; mount --bind /tmp/e /proc/$!
## Time of a file set back
touch -r /usr/bin/ls /etc/hosts
## Files opened past the system calls
#also Program or script of a shared folder changed by hand
cp /opt/lab/io_uring /srv/io_uring; /srv/io_uring 0 0 openat /etc/hosts 0
## BPF program loaded from a scratch folder or a container
#also Executable run from a scratch folder
#also Socket filter loaded by a script
#setup cp "$(command -v bpftool)" /tmp/probe
/tmp/probe feature probe kernel > /dev/null
## Physical memory written
#setup mount -t tmpfs tmpfs /dev; mknod /dev/null c 1 3; : > /dev/mem
python3 -c 'open("/dev/mem", "r+b")'
## Shell, interpreter or download tool under another name
#setup ln -s /usr/bin/python3 /tmp/update
/tmp/update -c 1
## Copy of a system's tool run under another name
cp /usr/bin/dash /home/ann/helper; /home/ann/helper -c :
## Program that gives itself a foreign name
bash -c 'exec -a /usr/sbin/apache2 perl -e 1'
## Commands read from a picture or a document
#setup echo : > /home/ann/x.jpg
sh /home/ann/x.jpg
## Name that is written backwards
touch "$(printf '/home/ann/plan\342\200\256xslx.sh')"
## Command line with invisible characters
sh -c "$(printf ': \342\200\213\342\200\214')"
## Tool of the system used to start a program
tar cf /dev/null --checkpoint=1 --checkpoint-action=exec=true /etc/hosts
## Script of a desktop program changed by a command
mkdir -p /home/ann/.config/discord/0/modules; echo 1 > /home/ann/.config/discord/0/modules/index.js
## Memory of a process opened for writing
sh -c ": 3<> /proc/self/mem"
## Own confinement changed by a command
sh -c ": > /proc/self/attr/current"
## Program that attaches to its own parent
#setup cp /usr/bin/python3 /opt/p
/opt/p -c 'import ctypes, os, time; os.fork() or (ctypes.CDLL(None).ptrace(0x4206, os.getppid(), 0, 0), os._exit(0)); time.sleep(0.3)'
## Program moved from a scratch folder among those of the system
#setup stubs /tmp/t
mv /tmp/t /usr/sbin/irqbalanced
## Time of a file set by code on a command line
#setup touch /srv/x
python3 -c 'import os; os.utime("/srv/x", (1, 1))'
## Files opened past the system calls from a scratch folder
#also Executable run from a scratch folder
cp /opt/lab/io_uring /tmp/io_uring; /tmp/io_uring 0 0 openat /etc/hosts 0
## Package installed from a scratch folder
#setup stubs /usr/bin/dpkg
dpkg -i /tmp/x.deb
## Account renamed
#setup stubs /usr/sbin/usermod
usermod -l gdm-greeter ann
## Download tool that poses as a browser
wget -q -O /dev/null -T 1 -t 1 --user-agent='Mozilla/5.0 (X11)' http://10.9.8.7:1/
## Start of a program in a scratch folder put off
#also Transient unit started
#setup stubs /usr/bin/systemd-run
systemd-run --on-active=24h /var/tmp/.late
## Image built from a scratch folder
#setup stubs /usr/bin/docker
docker build -t x /tmp/b
## Program put among the libraries of the system, then run
mkdir -p /usr/lib/udev; cp /bin/true /usr/lib/udev/ata_persist; /usr/lib/udev/ata_persist
## Program of a scratch folder put itself or another program elsewhere
#also Executable run from a scratch folder
#setup printf '%s\n' '#include <stdlib.h>' 'int main(void) { return system("cp /var/tmp/inst /home/ann/gvfsd"); }' > /opt/i.c; gcc -o /var/tmp/inst /opt/i.c
/var/tmp/inst
## Memory for code made by an interpreter without a file
python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)'
