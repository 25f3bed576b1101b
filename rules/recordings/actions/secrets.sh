## Passwords of a browser read
#setup mkdir -p /home/ann/.mozilla; echo {} > /home/ann/.mozilla/logins.json
cat /home/ann/.mozilla/logins.json
## Key ring read
#setup mkdir -p /home/ann/.local; echo x > /home/ann/.local/login.keyring
cat /home/ann/.local/login.keyring
## History of a shell searched
#setup echo x > /root/.bash_history
script -qec 'grep -i pass /root/.bash_history' /dev/null
## Secrets of an application read by a server's command
#also Shell started by a network server
#setup mkdir -p /var/www/html; echo x > /var/www/html/wp-config.php
server 'cat /var/www/html/wp-config.php'
## Files searched for passwords
grep -ri password /etc/apt
## Files searched for keys
find /home -name id_rsa
## Keys of the cluster read
#setup mkdir -p /etc/kubernetes; echo x > /etc/kubernetes/admin.conf
cat /etc/kubernetes/admin.conf
## Memory of a process saved
gdb -batch -ex 'generate-core-file /tmp/core' -p $$
## Password cracker started
#setup stubs /opt/john
/opt/john hashes
## Login traced
strace -f -o /tmp/sshd.log /bin/true
## Traffic captured
#setup stubs /usr/bin/tcpdump
tcpdump -i any
## Keyboard read
#setup mkdir -p /dev/shm/input; mount -t tmpfs none /dev/shm/input; mkdir -p /dev/input 2>/dev/null; mount --bind /dev/shm/input /dev/input; echo > /dev/input/event3
cat /dev/input/event3
## Metadata of the cloud asked by a command
#setup ip addr add 169.254.169.254/32 dev lo
curl -s http://169.254.169.254/latest/
## Addresses of the kernel read by a program of a user
#setup cp /bin/head /home/ann/tool
setpriv --reuid 1000 --clear-groups /home/ann/tool -c 1 /proc/kallsyms
## Sessions of a browser read
#setup mkdir -p /home/ann/.config/chromium/Default; echo x > /home/ann/.config/chromium/Default/Cookies
cat /home/ann/.config/chromium/Default/Cookies
## Ticket or key of Kerberos taken
#setup echo x > /tmp/krb5cc_1000
cp /tmp/krb5cc_1000 /home/ann/x
## Token of a developer's tool read
#setup echo x > /home/ann/.vault-token
cat /home/ann/.vault-token
## Tool that comes between others started
#setup stubs /usr/sbin/arpspoof
arpspoof -i lo -t 10.9.8.5 10.9.8.1
## Memory of the kernel read
#setup mount -t tmpfs tmpfs /proc; echo x > /proc/kcore
cat /proc/kcore
## Key of a certificate authority read
#setup mkdir -p /srv/pki/private; echo k > /srv/pki/private/cakey.pem
base64 /srv/pki/private/cakey.pem
## All secrets of a key ring listed
#setup stubs /usr/bin/secret-tool
secret-tool search --all --unlock xdg:schema x
## Entries of a password store decrypted one after another
for n in mail bank vpn; do gpg --batch -q -d /home/ann/.password-store/$n.gpg; done
## Credentials of several programs read
#also File with the passwords of a tool read
#setup cd /home/ann; mkdir -p .aws; echo x > .netrc; echo x > .pgpass; echo x > .aws/credentials
cat /home/ann/.netrc /home/ann/.pgpass /home/ann/.aws/credentials
## Settings with passwords of the network read
#setup mkdir -p /etc/wireguard; echo x > /etc/wireguard/wg0.conf
cat /etc/wireguard/wg0.conf
## History of a shell read by a script
#setup echo x > /home/ann/.bash_history
cat /home/ann/.bash_history
## Environment of processes listed
ps eww
## Token of a neighbour in the cluster read
#setup mkdir -p /var/lib/kubelet/pods/1/volumes/kubernetes.io~projected/x; echo x > /var/lib/kubelet/pods/1/volumes/kubernetes.io~projected/x/token
cat /var/lib/kubelet/pods/1/volumes/kubernetes.io~projected/x/token
## Password asked for by a script
#also Notice with a link shown on a desktop
#setup stubs /usr/bin/zenity
zenity --password --title x
## Terminal recorded into a hidden place
script -qf -c true /dev/shm/.s1
## Certificate of SSH signed with a key of a scratch folder
#setup ssh-keygen -q -t ed25519 -N '' -f /tmp/ca; ssh-keygen -q -t ed25519 -N '' -f /tmp/k
ssh-keygen -q -s /tmp/ca -I x -n root /tmp/k.pub
## Name server of a container replaced
#also Right of root used for the first time by an image
#also Suspicious Process Execution
#in shop:1
sh -c 'echo nameserver 203.0.113.9 > /etc/resolv.conf'
## Running process steered by a debugger
sleep 9 & gdb -q -batch -p $! -ex 'print (int)getpid()' -ex detach; kill $!
## Process traced in a container
#also Suspicious Process Execution
#in shop:1
sleep 9 & timeout 1 strace -p $! -o /tmp/keys; kill $!
## Several kinds of keys searched at once
find /home -maxdepth 1 -name id_rsa -o -name '*.kdbx' -o -name wallet.dat
## File with the passwords of a tool read
#setup mkdir -p /srv/infra; echo x > /srv/infra/terraform.tfstate
awk '/pass/' /srv/infra/terraform.tfstate
