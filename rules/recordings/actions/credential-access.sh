## Password hashes read
cat /etc/shadow
## Private SSH key read
mkdir -p /root/.ssh; echo k > /root/.ssh/id_rsa; cat /root/.ssh/id_rsa
## Cloud credentials read in a container
#also Suspicious Process Execution
#in shop:1
#setup mkdir -p /root/.aws; echo k > /root/.aws/credentials
cat /root/.aws/credentials
## Cloud metadata service asked from a container
#also Download tool in a container
#also Suspicious Process Execution
#in shop:1
#setup ip addr add 169.254.169.254/32 dev lo
curl -s http://169.254.169.254/latest/
## Memory of another process read
sleep 9 & cat /proc/$!/environ; kill $!
## SSH password guessing
#also Login that checks nobody's identity
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
for n in $(seq 1 7); do login wrong root 3 & done; wait; end_log
## SSH password spraying
#also Login that checks nobody's identity
#also Machines logged in to one after another by a script
#also SSH password guessing
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
for name in admin test oracle git postgres backup deploy ubuntu ftp www jenkins; do login wrong $name & done; wait; end_log
## Local password guessing
#also Password given to su by a script
printf 'wrong\n' > /tmp/words; chmod 644 /tmp/words
for n in $(seq 1 11); do setpriv --reuid 1000 --regid 1000 --clear-groups su -c true root < /tmp/words & done; wait
## Password hashes given another name
ln /etc/shadow /etc/.x
## Memory of another process copied
#setup printf '%s\n' '#define _GNU_SOURCE' '#include <sys/uio.h>' '#include <stdlib.h>' '#include <stdio.h>' > /opt/r.c
#setup printf '%s\n' 'int main(int c, char **v) { char b[8]; unsigned long a; char p[64]; snprintf(p, 64, "/proc/%s/maps", v[1]); FILE *f = fopen(p, "r"); fscanf(f, "%lx", &a);' >> /opt/r.c
#setup printf '%s\n' 'struct iovec to = {b, 8}, from = {(void *)a, 8}; return process_vm_readv(atoi(v[1]), &to, 1, &from, 1, 0) != 8; }' >> /opt/r.c
#setup gcc -o /opt/r /opt/r.c
sleep 9 & /opt/r $!; kill $!
## Passwords of several accounts guessed locally
#also Local password guessing
#also Password given to su by a script
#setup for name in u1 u2 u3 u4 u5; do useradd -s /bin/sh $name; done; printf 'wrong\n' > /tmp/words; chmod 644 /tmp/words
for n in 1 2 3 4 5; do setpriv --reuid 1000 --regid 1000 --clear-groups su -c true u$n < /tmp/words & done; wait
## Password check of PAM called again and again
for n in 1 2 3 4 5 6; do setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'printf "x\0" | unix_chkpwd ann nullok'; done
## Password hashes computed again and again
for word in a b c d e f; do openssl passwd -6 -salt abcd $word; done
## Cached passwords of a domain read
#setup mkdir -p /var/lib/sss/db; echo x > /var/lib/sss/db/cache_corp.example.ldb
strings /var/lib/sss/db/cache_corp.example.ldb
## Second factor of a user read
#setup echo x > /home/ann/.google_authenticator
head -1 /home/ann/.google_authenticator
## Library put before a program that asks for passwords
#setup mkdir -p /home/ann; touch /home/ann/libgl.so
LD_PRELOAD=/home/ann/libgl.so ssh -V 2> /dev/null
## Input and output of a running process traced
#setup sleep 20 & echo $! > /run/p
timeout 1 strace -f -e trace=read,write -p "$(cat /run/p)" || true
## Page of a logon changed by a command
#setup mkdir -p /var/www/html; echo '<form>' > /var/www/html/login.html
sed -i 's/<form>/<form onsubmit=x()>/' /var/www/html/login.html
## Answers for the network given by an untrusted program
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("", 67))'
## Sessions of a web site read by a command
#setup mkdir -p /var/lib/php/sessions; echo x > /var/lib/php/sessions/sess_a1
grep -l admin /var/lib/php/sessions/sess_a1 || true
