#!/bin/sh
# Sets up the demo's sandbox and starts the vulnerable service in it. Runs as pid 1 of a new pid namespace in a new
# mount namespace: files that the service writes are not visible outside, and are removed when it ends.
#   sandbox.sh CGROUP FILES      FILES: folder with etc/ and shop/ of the sandbox
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

# A child enters the container's cgroup, as with a container runtime.
(
	echo 0 > "$cgroup/cgroup.procs"
	cd /opt/shop
	exec setpriv --reuid 65534 --regid 65534 --clear-groups /opt/shop/httpd /opt/shop/serve.sh
)
