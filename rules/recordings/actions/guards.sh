## Process of another service stopped or ended by a script
#setup setpriv --reuid 1000 --clear-groups sleep 100 & echo $! > /run/victim.pid
python3 -c 'import os; os.kill(int(open("/run/victim.pid").read()), 19)'
## Security tool uninstalled
#setup stubs /usr/bin/apt-get
apt-get remove -y falcon-sensor
## Unit of a security tool masked, changed or removed
mkdir -p /etc/systemd/system; ln -s /dev/null /etc/systemd/system/falcon-sensor.service
## Program of a security tool made unusable
#setup mkdir -p /opt/CrowdStrike; touch /opt/CrowdStrike/falcond
chmod 0 /opt/CrowdStrike/falcond
## Mandatory access control changed through its files
#setup mount -t tmpfs x /sys/kernel/security; mkdir /sys/kernel/security/apparmor; touch /sys/kernel/security/apparmor/.remove
sh -c 'echo x > /sys/kernel/security/apparmor/.remove'
## Mandatory access control loosened by a tool
#setup stubs /usr/sbin/apparmor_parser
apparmor_parser -R /etc/apparmor.d/x
## Programs of the kernel removed or changed by hand
#setup stubs /usr/sbin/bpftool
bpftool cgroup detach /sys/fs/cgroup connect4 id 7
## Tracing of the kernel switched off or changed by hand
#setup mount -t tmpfs x /sys/kernel/debug; mkdir /sys/kernel/debug/kprobes; touch /sys/kernel/debug/kprobes/enabled
sh -c 'echo 0 > /sys/kernel/debug/kprobes/enabled'
## Group of processes frozen or ended by hand
mount -t tmpfs x /sys/fs/cgroup; touch /sys/fs/cgroup/cgroup.freeze
sh -c 'echo 0 > /sys/fs/cgroup/cgroup.freeze'
## Flag against changes of a file set or cleared by a script
touch /var/tmp/f; python3 -c '
import fcntl, struct
f = open("/var/tmp/f"); flags = struct.unpack("L", fcntl.ioctl(f, 0x80086601, bytes(8)))[0]
fcntl.ioctl(f, 0x40086602, struct.pack("L", flags | 0x10)); fcntl.ioctl(f, 0x40086602, struct.pack("L", flags))'
## File of the system opened to everybody
#setup mkdir -p /etc/cron.daily; touch /etc/cron.daily/x
chmod 777 /etc/cron.daily/x
## Log of the system rewritten in place
#setup echo x > /var/log/auth.log
python3 /dev/stdin <<'P'
open("/var/log/auth.log", "r+").write("y")
P
## Log removed or emptied by an untrusted program
#setup mkdir -p /var/log/nginx; echo x > /var/log/nginx/access.log
python3 -c 'open("/var/log/nginx/access.log", "w")'
## Log of a service emptied or removed by hand
#setup mkdir -p /var/log/nginx; echo x > /var/log/nginx/access.log
sh -c ': > /var/log/nginx/access.log'
## Journal cut down to nothing
#setup stubs /usr/bin/journalctl
journalctl --vacuum-time=1s
## History of a shell made unwritable
#setup touch /root/.bash_history
chmod 0 /root/.bash_history
## Part of the firewall removed
#setup stubs /usr/sbin/nft
nft delete table inet filter
## Firewall changed by hand
#setup stubs /usr/sbin/iptables
iptables -A INPUT -p tcp --dport 4444 -j ACCEPT
## Interface of the firewall or of auditing opened by an untrusted program
python3 -c 'import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)'
## Security tool attacked through its process
#setup cp /bin/sleep /usr/bin/falco
python3 - <<'P'
import ctypes, subprocess
child = subprocess.Popen(["/usr/bin/falco", "1"]); libc = ctypes.CDLL(None)
import time; time.sleep(0.3); libc.ptrace(0x4206, child.pid, 0, 0); child.wait()
P
## Security tool crashed
#setup mkdir -p /opt/CrowdStrike; cp /opt/lab/fault /opt/CrowdStrike/falcond
/opt/CrowdStrike/falcond forks 1
## Check of certificates or signatures left out
curl -sk --max-time 1 https://10.9.8.6/x || true
## Authority of certificates added by an untrusted program
mkdir -p /usr/local/share/ca-certificates; python3 -c 'open("/usr/local/share/ca-certificates/x.crt", "w")'
