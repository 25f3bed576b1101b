## Host reached through /proc/1/root
#also Suspicious Process Execution
#in shop:1
cat /proc/1/root/etc/hostname
## Control groups mounted in a container
#also Suspicious Process Execution
#in shop:1
mkdir /tmp/c; mount -t cgroup2 none /tmp/c
## Disk of the host mounted by a container
#also Suspicious Process Execution
#in shop:1
#setup truncate -s 4M /tmp/disk; mkfs.ext4 -q /tmp/disk; losetup /dev/loop7 /tmp/disk || losetup -f /tmp/disk; mkdir -p /mnt/x
mount /dev/loop7 /mnt/x; umount /mnt/x; losetup -d /dev/loop7
## Device node of a disk made in a container
#also Suspicious Process Execution
#in shop:1
mknod /tmp/x b 240 1
## Disk written by a container
#also Suspicious Process Execution
#in shop:1
#setup truncate -s 1M /tmp/disk; losetup /dev/loop7 /tmp/disk
echo x > /dev/loop7; losetup -d /dev/loop7
## File system debugger started in a container
#also Suspicious Process Execution
#in shop:1
debugfs -R quit /dev/null
## Container enters other namespaces
#also Container looks at how it is confined
#also Suspicious Process Execution
#in shop:1
nsenter --mount=/proc/self/ns/mnt true
## User namespace made in a container
#also Suspicious Process Execution
#in shop:1
unshare --user true
## Container runtime overwritten
#also Suspicious Process Execution
#in shop:1
#setup stubs /usr/bin/runc
echo x > /usr/bin/runc
## Container with the host's root folder started
#also Container asked for with the host inside
#also Containers or virtual machines listed by hand
#also Log of a service emptied or removed by hand
#setup image
# The mount imitates a machine with cgroup v2 alone, where a container gets a mount of its control groups.
mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup 2> /dev/null; engine
docker run --network none -v /:/host debian:12 true
## Container asked for with the host inside
#setup stubs /usr/bin/docker
docker run -it -v /:/mnt alpine chroot /mnt
## Client of a container engine started in a container
#also Suspicious Process Execution
#in shop:1
#setup stubs /usr/bin/kubectl
kubectl exec web -- id
## Interface of the cluster called by hand in a container
#also Check of certificates or signatures left out
#also Download tool in a container
#also Suspicious Process Execution
#in shop:1
curl -sk https://10.9.8.7:10250/pods
## Container looks at how it is confined
#also Suspicious Process Execution
#in shop:1
cat /proc/1/cgroup
## Right over the host used by a container
#also Suspicious Process Execution
#in shop:1
# reboot has no command with this number, but the kernel checks the caller's right first.
python3 -c 'import ctypes; ctypes.CDLL(None).reboot(1)'
## Right over the host used by a server's command in a container
#also Shell started by a network server
#also Suspicious Process Execution
#in shop:1
server 'mount -t tmpfs tmpfs /mnt'
## Right of root used for the first time by an image
#also Suspicious Process Execution
#in shop:1
ip link set lo mtu 1500
## Privileged container started
#also Container started by hand
#also Containers or virtual machines listed by hand
#also Log of a service emptied or removed by hand
#guest a container gets at most the rights of its creator, and root lacks some of them on some machines
#setup image
engine; docker run --privileged --network none debian:12 true
## Right over the host refused to a container
#also Suspicious Process Execution
#also User namespace made in a container
#in shop:1
unshare -Ur mknod /tmp/x b 8 1 || true
## Kernel helper refused to a container
#also Container looks at how it is confined
#also Suspicious Process Execution
#in shop:1
#setup mount -o bind,ro /proc/sys /proc/sys
sh -c ': >> /proc/sys/kernel/core_pattern' || true
## Root folder changed in a container
#also Suspicious Process Execution
#in shop:1
#setup mkdir -p /mnt/x/bin; cp /usr/bin/busybox /mnt/x/bin/sh
chroot /mnt/x /bin/sh -c true
## File of another file system written by a container
#also Suspicious Process Execution
#in shop:1
mkdir -p /mnt/x/etc/cron.d; echo x > /mnt/x/etc/cron.d/x
## File system opened by an untrusted program in a container
#also Suspicious Process Execution
#in shop:1
python3 -c 'import ctypes; ctypes.CDLL(None).syscall(430, b"tmpfs", 0)'
## Running program opened for writing through its link
#also Suspicious Process Execution
#in shop:1
#setup cp /bin/sleep /opt/x
/opt/x 1 & sleep 0.1; sh -c ': >> /proc/$0/exe' $! || true; wait
## Token of the pod read by a script of the command line
#also Suspicious Process Execution
#in shop:1
#setup mkdir -p /run/secrets/kubernetes.io/serviceaccount; echo x > /run/secrets/kubernetes.io/serviceaccount/token
python3 -c 'open("/run/secrets/kubernetes.io/serviceaccount/token").read()'
## Container asked in several ways how it is confined
#also Container looks at how it is confined
#also Suspicious Process Execution
#in shop:1
cat /proc/1/cgroup > /dev/null; grep Cap /proc/self/status > /dev/null; ls -la /.dockerenv || true
## Drivers of the host looked at in a container
#also Suspicious Process Execution
#in shop:1
busybox lsmod > /dev/null || true
## Command in a container asked of the cluster by hand
#also Check of certificates or signatures left out
#also Download tool in a container
#also Suspicious Process Execution
#in shop:1
curl -sk -m 1 'https://10.9.8.7:1/api/v1/namespaces/default/pods/db-0/exec?command=id' || true
