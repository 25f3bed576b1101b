# From a container to its host: the host's disk, the program the kernel starts, and what it gives.
mkdir /tmp/disk
mount -t tmpfs tmpfs /tmp/disk
sleep 0.1
echo /tmp/cmd >/tmp/disk/release_agent
sleep 0.1
mkdir -p /tmp/disk/etc
echo root >/tmp/disk/etc/shadow
sleep 0.1
read -r line </tmp/disk/etc/shadow
sleep 0.1
