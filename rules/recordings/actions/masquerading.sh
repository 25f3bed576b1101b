## Program named like a service of the system
#setup stubs /home/ann/sshd
/home/ann/sshd -D
## Cgroup named like a container
#guest the processes of the sandbox have namespaces of their own, as those of a container
g=/sys/fs/cgroup/docker-$(printf 'a1%.0s' $(seq 32)).scope; mkdir $g; sh -c "echo 0 > $g/cgroup.procs; sleep 12"; rmdir $g
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
## File protected against change
touch /var/tmp/x; chattr +i /var/tmp/x
## Files opened past the system calls
#also Executable run from a scratch folder
cp /opt/lab/io_uring /tmp/io_uring; /tmp/io_uring 0 0 openat /etc/hosts 0
## BPF program loaded from a scratch folder or a container
#also Executable run from a scratch folder
#setup cp "$(command -v bpftool)" /tmp/probe
/tmp/probe feature probe kernel > /dev/null
## Physical memory written
#setup mount -t tmpfs tmpfs /dev; mknod /dev/null c 1 3; : > /dev/mem
python3 -c 'open("/dev/mem", "r+b")'
