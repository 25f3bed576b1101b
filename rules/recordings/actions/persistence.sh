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
#also SSH authorized keys written
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
#also Preload library configured
#guest every program of the machine would load the library
cp /usr/lib/*/libgcc_s.so.1 /usr/lib/x.so; echo /usr/lib/x.so > /etc/ld.so.preload; checked; rm /etc/ld.so.preload
