## SSH server started with rules of its own
#setup prepare_sshd; cp /srv/sshd /tmp/sshd
/usr/sbin/sshd -f /tmp/sshd -o PidFile=/tmp/pid -p 2022; kill "$(cat /tmp/pid)"
## Control of the machine opened to the network
#also Tool for access from afar started
#setup stubs /usr/bin/ttyd
ttyd -W -p 7681 /bin/sh
## Private network joined by hand
#setup stubs /usr/bin/tailscale
tailscale up --authkey k
## Accounts tried from one address, then a login
#also Login from the internet with a password
#also Login that checks nobody's identity
#also Machines logged in to one after another by a script
#also Process of a security tool looked up, then sent a signal
#also SSH password guessing
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
for user in olga petr ivan ann; do login right $user || true; done; end_log
