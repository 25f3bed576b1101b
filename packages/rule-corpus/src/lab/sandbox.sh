#!/bin/sh
# Runs a script in isolation: in separate namespaces, with a layer above the host's folders that is discarded at the
# end.
#   sandbox.sh CGROUP LAYER PROGRAMS FETCHED SCRIPT [SETUP [USER]]
# FETCHED has programs that are not installed here. SETUP runs outside of the cgroup, so its events are not recorded.
# Without a LAYER the machine is a guest that ends with the script, and the script changes the guest itself.
# With a USER the script is confined: this user runs it, without the capabilities that could change the machine.
set -eu
cgroup=$1 layer=$2 programs=$3 fetched=$4 script=$5 setup=${6-} user=${7-}

# Mounts a layer above a folder of the host and the fetched programs.
layered() {
	more=$fetched/root/$1
	mkdir -p "$2/$1/upper" "$2/$1/work"
	mount -t overlay overlay -o "lowerdir=/$1$([ ! -d "$more" ] || echo ":$more"),upperdir=$2/$1/upper,workdir=$2/$1/work" "/$1"
}

if [ -z "$layer" ]; then
	# Once for all scripts of a guest. The layer hides the mount of the modules, so they are mounted again.
	[ -d /run/lab ] || { layered usr /run/lab; mount /dev/vdb /lib/modules; mkdir -p /var/log; ln -s /run /var/run; }
else
	mount -t tmpfs tmpfs "$layer"
	for folder in etc home mnt opt root srv usr var; do layered "$folder" "$layer"; done
	# Hide the home folder of this machine's root.
	mount -t tmpfs -o mode=700 tmpfs /root
fi
# User ann, the only one with the number 1000.
mkdir -p /home/ann /opt/lab
sed -i '/^ann:/d; /^[^:]*:[^:]*:1000:/d' /etc/passwd; echo 'ann:x:1000:1000::/home/ann:/bin/sh' >> /etc/passwd
chown 1000:1000 /home/ann
mount --bind "$programs" /opt/lab
[ ! -d "$fetched" ] || { mkdir -p /opt/engine; mount --bind "$fetched" /opt/engine; }
if [ -n "$layer" ]; then
	mount -t tmpfs -o mode=1777 tmpfs /tmp
	mount -t tmpfs -o mode=755 tmpfs /run
fi
hostname lab
# An address of the internet (reserved for documentation) and 40 of a private network, in this namespace alone.
ip link set lo up
ip addr replace 203.0.113.9/32 dev lo
for host in $(seq 1 40); do ip addr replace 10.9.8.$host/32 dev lo; done
cd /
export LAB="${cgroup##*/}"
eval "$setup"
# Events from here on belong to the cgroup.
# The setup may have set variables of these names.
cgroup=$1 script=$5 user=${7-}
if [ -z "$user" ]; then
	echo 0 > "$cgroup/cgroup.procs"
	exec /bin/sh -c "$script"
fi
. /opt/lab/lib.sh
confined "$user" "$script"
