#!/bin/sh
# Makes the demo's sandbox and becomes the service that will be attacked. Runs as pid 1 of its own pid namespace, in a mount namespace of its own:
# nothing it writes is seen outside, and all of it is gone when it ends.
#   sandbox.sh CGROUP SERVICE
set -eu
cgroup=$1
service=$2

# Folders of its own over the host's; of /etc only what programs need to start.
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mkdir -p /var/tmp/etc/cron.d
for file in passwd group nsswitch.conf ld.so.cache hosts services; do
	[ -e "/etc/$file" ] && cp "/etc/$file" /var/tmp/etc/
done
printf 'root:$y$j9T$demo$notarealhash:20000:0:99999:7:::\n' > /var/tmp/etc/shadow
mount --bind /var/tmp/etc /etc
mount -t tmpfs tmpfs /opt
mount -t tmpfs -o mode=1777 tmpfs /tmp
hostname web-1

# The service is a shell under the name of a web server; its helper has the set-user-id bit that somebody forgot.
mkdir /opt/shop
cp /bin/bash /opt/shop/httpd
cp /bin/bash /opt/shop/backup-helper
chmod 4755 /opt/shop/backup-helper
cat > /opt/shop/serve.sh <<'SERVE'
# Resizes pictures. Whoever names a file "x.png; id" runs commands: the hole that the demo goes in by.
while read -r picture; do
	sh -c "test -f $picture"
done
SERVE

# From here on it is the container.
echo $$ > "$cgroup/cgroup.procs"
cd /opt/shop
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$service" /opt/shop/serve.sh
