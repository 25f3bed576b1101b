#!/bin/sh
# Plays a script where it can harm nothing: it has namespaces of its own, and what it writes into the host's folders goes to a layer that ends with it.
#   sandbox.sh CGROUP LAYER PROGRAMS BROUGHT SCRIPT [SETUP]      BROUGHT: programs that aren't installed here; SETUP is played before anybody looks
# Without a LAYER the machine is a guest that ends with the script: what it does there it does to the machine.
set -eu
cgroup=$1 layer=$2 programs=$3 brought=$4 script=$5 setup=${6-}

# A folder of the machine with what was brought, below a layer.
layered() {
	more=$brought/root/$1
	mkdir -p "$2/$1/upper" "$2/$1/work"
	mount -t overlay overlay -o "lowerdir=/$1$([ ! -d "$more" ] || echo ":$more"),upperdir=$2/$1/upper,workdir=$2/$1/work" "/$1"
}

if [ -z "$layer" ]; then
	# once for all scripts; the modules were mounted below what is now hidden
	[ -d /run/lab ] || { layered usr /run/lab; mount /dev/vdb /lib/modules; mkdir -p /var/log; ln -s /run /var/run; }
else
	mount -t tmpfs tmpfs "$layer"
	for folder in etc home mnt opt root srv usr var; do layered "$folder" "$layer"; done
	# Whatever lies in this machine's own home folder is nobody's business.
	mount -t tmpfs -o mode=700 tmpfs /root
fi
# Ann is somebody to play, and nobody else has her number.
mkdir -p /home/ann /opt/lab
sed -i '/^ann:/d; /^[^:]*:[^:]*:1000:/d' /etc/passwd; echo 'ann:x:1000:1000::/home/ann:/bin/sh' >> /etc/passwd
chown 1000:1000 /home/ann
mount --bind "$programs" /opt/lab
[ ! -d "$brought" ] || { mkdir -p /opt/engine; mount --bind "$brought" /opt/engine; }
if [ -n "$layer" ]; then
	mount -t tmpfs -o mode=1777 tmpfs /tmp
	mount -t tmpfs -o mode=755 tmpfs /run
fi
hostname lab
# Addresses of the internet (those of documentation) and of a private network that nobody has but this namespace.
ip link set lo up
ip addr replace 203.0.113.9/32 dev lo
for host in $(seq 1 40); do ip addr replace 10.9.8.$host/32 dev lo; done
cd /
export LAB="${cgroup##*/}"
eval "$setup"
# What has happened until here is in no cgroup that anybody looks at.
echo 0 > "$cgroup/cgroup.procs"
exec /bin/sh -c "$script"
