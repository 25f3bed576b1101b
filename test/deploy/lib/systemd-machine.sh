# systemd-machine.sh DIRECTORY TREE: started by unshare as the first process of new namespaces, and finally execs
# systemd. Its root is an overlay on the root of this machine with a temporary upper layer. The program is in the
# directory of an installation.
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf -o mode=0700 bpf sys/fs/bpf
mount --bind /sys/kernel/tracing sys/kernel/tracing
mount --rbind /dev dev
for directory in run tmp var/lib var/tmp var/log; do mount -t tmpfs tmpfs "$directory"; done
mkdir -p usr/lib/ringfence old
mount --bind "$2" usr/lib/ringfence
ln -sf /usr/lib/ringfence/deploy/bin/ringfence usr/bin/ringfence
# Writable sysctls would change the whole machine.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
rm -rf etc/systemd/system
mkdir etc/systemd/system
printf '[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\n' >etc/systemd/system/machine.target
for service in sysctl modules-load tmpfiles-setup-dev tmpfiles-setup machine-id-commit binfmt sysusers remount-fs udevd udev-trigger \
  random-seed pstore timesyncd update-utmp journal-flush firstboot; do
  ln -s /dev/null "etc/systemd/system/systemd-$service.service"
done
for unit in kmod-static-nodes.service keyboard-setup.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
  sys-fs-fuse-connections.mount sys-kernel-config.mount proc-sys-fs-binfmt_misc.automount; do
  ln -s /dev/null "etc/systemd/system/$unit"
done
chroot . systemd-sysusers /usr/lib/ringfence/deploy/systemd/sysusers.conf
install -m 0644 "$2/deploy/systemd/ringfence.service" etc/systemd/system/
pivot_root . old
umount -l /old
exec env -i PATH=/usr/sbin:/usr/bin container=other /usr/lib/systemd/systemd --system --unit=machine.target --show-status=no --log-target=null
