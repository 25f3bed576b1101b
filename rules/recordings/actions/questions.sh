## Several questions asked by the commands of an untrusted program
#also Interpreter runs a script from a scratch folder
#also Question asked by the command of an untrusted program
#setup printf 'id\nuname -a\nhostname\n' > /tmp/x.sh
sh /tmp/x.sh
## Question asked by the command of an untrusted program
python3 -c 'import subprocess; subprocess.run(["uname"])'
## Processes listed by an untrusted program
python3 -c '
import glob
for path in glob.glob("/proc/[0-9]*/cmdline") * 9: open(path).read()
for path in ["/proc/%d/%s" % (n, name) for n in (1, 2) for name in ("cmdline", "status", "stat", "comm")]:
  try: open(path).read()
  except OSError: pass'
## Accounts read by an untrusted program
python3 -c 'open("/etc/passwd").read(); open("/etc/group").read()'
## Machine and its devices explored by an untrusted program
python3 -c 'open("/proc/cpuinfo").read(); open("/proc/version").read()'
## Mounts and disks read by an untrusted program
python3 -c 'open("/proc/mounts").read()'
## Network of the machine read by an untrusted program
python3 -c 'open("/proc/net/route").read()'
## Machines known to users looked up
#setup mkdir -p /home/ann/.ssh; echo x > /home/ann/.ssh/known_hosts
cat /home/ann/.ssh/known_hosts
## Machines known to several users looked up
#also Machines known to users looked up
#setup mkdir -p /home/ann/.ssh /root/.ssh; echo x > /home/ann/.ssh/known_hosts; echo x > /root/.ssh/known_hosts
cat /home/ann/.ssh/known_hosts; cat /root/.ssh/known_hosts
## Rules for passwords and logins read
cat /etc/login.defs
## Place, language or time of the machine read by an untrusted program
#setup echo x > /etc/timezone
python3 -c 'open("/etc/timezone").read()'
## Time asked of a server by an untrusted program
#setup ip route replace local 0.0.0.0/0 dev lo
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("203.0.113.9", 123))'; sleep 0.3
## Services listed by an untrusted program or one by one
#setup mkdir -p /etc/systemd/system; echo x > /etc/systemd/system/x.service
python3 -c 'open("/etc/systemd/system/x.service").read()'
## Software of the machine read by an untrusted program
python3 -c 'open("/var/lib/dpkg/status").read(9)'
## Settings of a backup read by hand
#setup mkdir -p /etc/restic; echo x > /etc/restic/env
cat /etc/restic/env
## Backup programs looked for
grep -rl backup /etc/cron.d || true
## Tools for compiling and downloading looked for
which gcc python3 curl wget || true
## Whole folder tree searched
find /opt -maxdepth 1 -name x
## Folders walked by an untrusted program
#setup mkdir -p /home/ann/Documents /home/ann/Desktop /home/ann/.ssh
python3 -c '
import os
for path in os.walk("/home/ann"): pass'
## Groups and rights of users asked one after another
id root; id ann; id daemon
## Accounts or groups of a domain asked of the name service
getent group 'Domain Admins@corp.lan' || true
## Windows of a desktop or a terminal listed
#setup stubs /usr/bin/xlsclients
xlsclients -l
## Way to the internet tried
#setup stubs /usr/bin/ping
ping -c1 8.8.8.8
## Wireless networks looked for
#setup stubs /usr/sbin/iwlist
iwlist wlan0 scan
## Services of neighbours asked one after another
for host in 5 6 9; do curl -s --max-time 1 http://10.9.8.$host:8080/; done || true
## Shares of the network looked for
#also Tool that lists accounts of a domain started
#setup stubs /usr/sbin/showmount
showmount -e 10.9.8.6
## Containers or virtual machines listed by hand
#setup stubs /usr/bin/docker
docker ps -a
## Debuggers and analysts looked for
grep TracerPid /proc/self/status
## Activity of users looked at
#setup stubs /usr/bin/xprintidle
xprintidle
## Logs read by an untrusted program or in a container
#setup echo x > /var/log/shop.log
python3 -c 'open("/var/log/shop.log").read()'
## Processes listed by a server's command
#also Shell started by a network server
server 'ps aux > /dev/null'
## Files listed by a server's command
#also Shell started by a network server
server 'ls -la /home > /dev/null'
## Software looked for by a server's command
#also Shell started by a network server
#setup stubs /usr/bin/rpm
server 'rpm -qa'
## Region of the machine asked of the cloud
#also Metadata of the cloud asked by a command
curl -s --max-time 1 http://169.254.169.254/latest/meta-data/placement/availability-zone || true
## Cluster asked by hand what runs and who may do what
#also Suspicious Process Execution
#in shop:1
#setup stubs /usr/bin/kubectl
kubectl get pods -A
## Cluster told to run something by hand
#also Suspicious Process Execution
#in shop:1
#setup stubs /usr/bin/kubectl
kubectl create cronjob x --image=y --schedule=x
## Signs of a virtual machine looked for by an untrusted program
perl -e 'for (qw(/sys/class/dmi/id/product_name /proc/xen/capabilities /.dockerenv /proc/scsi/scsi)) { open F, $_ }'
