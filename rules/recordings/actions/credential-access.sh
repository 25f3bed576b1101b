## Password hashes read
cat /etc/shadow
## Private SSH key read
mkdir -p /root/.ssh; echo k > /root/.ssh/id_rsa; cat /root/.ssh/id_rsa
## Cloud credentials read in a container
#also Right of root used for the first time by an image
#also Suspicious Process Execution
#in shop:1
#setup mkdir -p /root/.aws; echo k > /root/.aws/credentials
cat /root/.aws/credentials
## Cloud metadata service asked from a container
#also Download tool in a container
#also Right of root used for the first time by an image
#also Suspicious Process Execution
#in shop:1
#setup ip addr add 169.254.169.254/32 dev lo
curl -s http://169.254.169.254/latest/
## Memory of another process read
cat /proc/self/environ
## SSH password guessing
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
for n in $(seq 1 7); do login wrong root 3 & done; wait; end_log
## SSH password spraying
#also SSH password guessing
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
for name in admin test oracle git postgres backup deploy ubuntu ftp www jenkins; do login wrong $name & done; wait; end_log
## Local password guessing
printf 'wrong\n' > /tmp/words; chmod 644 /tmp/words
for n in $(seq 1 11); do setpriv --reuid 1000 --regid 1000 --clear-groups su -c true root < /tmp/words & done; wait
