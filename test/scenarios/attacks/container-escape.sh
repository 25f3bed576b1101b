# A container escape: mount the host's disk, write release_agent, and read the password hashes.
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
