#!/bin/sh
# Runs an attack in this mount namespace with temporary /etc, /opt, /root, /var/log and /tmp. Sandboxes share /srv.
#   sandbox.sh FILES SHARED CGROUP SCRIPT      CGROUP: cgroup of the container, or -
set -eu
files=$1
shared=$2
cgroup=$3
mount --bind "$files/etc" /etc
mount --bind "$shared/srv" /srv
mount -t tmpfs -o mode=755 tmpfs /opt
for program in httpd npm helper; do cp /bin/bash /opt/$program; done
chmod 4755 /opt/helper
cp "$shared"/bin/* /opt/
cp "$4" /opt/attack.sh
for folder in /root /var/log /tmp; do mount -t tmpfs -o mode=1777 tmpfs $folder; done
mkdir /root/.ssh
echo key > /root/.ssh/id_ed25519
touch /var/log/auth.log
[ "$cgroup" = - ] || echo 0 > "$cgroup/cgroup.procs"
cd /
exec bash /opt/attack.sh
