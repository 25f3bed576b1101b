#!/bin/sh
# Makes the demo's sandbox and starts the service that will be attacked in it. Runs as pid 1 of a pid namespace and in a mount namespace of its own:
# nothing the service writes is seen outside, and all of it is gone when it ends.
#   sandbox.sh CGROUP FILES      FILES: etc/ and shop/ of the sandbox
set -eu
cgroup=$1
files=$2

mount --bind "$files/etc" /etc
mount -t tmpfs tmpfs /opt
mkdir /opt/shop
mount --bind "$files/shop" /opt/shop
mount -o remount,bind,suid,exec /opt/shop
mount -t tmpfs -o mode=1777 tmpfs /tmp
hostname web-1

# A process of its own enters the container's cgroup, as a runtime would do it.
(
	echo 0 > "$cgroup/cgroup.procs"
	cd /opt/shop
	exec setpriv --reuid 65534 --regid 65534 --clear-groups /opt/shop/httpd /opt/shop/serve.sh
)
