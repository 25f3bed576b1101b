## SSH server started with rules of its own
#setup prepare_sshd; cp /srv/sshd /tmp/sshd
/usr/sbin/sshd -f /tmp/sshd -o PidFile=/tmp/pid -p 2022; kill "$(cat /tmp/pid)"
## Control of the machine opened to the network
#setup stubs /usr/bin/ttyd
ttyd -W -p 7681 /bin/sh
## Private network joined by hand
#setup stubs /usr/bin/tailscale
tailscale up --authkey k
## Accounts tried from one address, then a login
#setup prepare_sshd; start_log
/usr/sbin/sshd -f /srv/sshd
for user in olga petr ivan ann; do login right $user || true; done; end_log
