## Service of a neighbour spoken to by an untrusted program
#setup python3 -c 'import socket
#setup s = socket.create_server(("", 6379))
#setup while True: c, _ = s.accept(); c.recv(99); c.send(b"+PONG"); c.close()' & until ss -ltn | grep -q ':6379 '; do sleep 0.05; done
python3 -c '
import socket
s = socket.socket(); s.connect(("10.9.8.7", 6379)); s.send(b"PING\r\n"); s.settimeout(0.5)
try: s.recv(9)
except OSError: pass'; sleep 0.3
## Service of a neighbour spoken to by a shell or a network tool
#also Reverse shell by bash's own network
#setup python3 -c 'import socket
#setup s = socket.create_server(("", 6379))
#setup while True: c, _ = s.accept(); c.recv(99); c.send(b"+PONG"); c.close()' & until ss -ltn | grep -q ':6379 '; do sleep 0.05; done
bash -c 'exec 3<>/dev/tcp/10.9.8.7/6379; echo PING >&3; sleep 0.3; cat <&3'; sleep 0.3
## SSH or a remote desktop spoken by an untrusted program
#setup listener 22
python3 -c 'import socket; socket.socket().connect(("10.9.8.7", 22))'
## Login to another machine by a service's account
#setup stubs /usr/bin/ssh
setpriv --reuid 33 --clear-groups ssh 10.9.8.6
## Login that checks nobody's identity
#setup stubs /usr/bin/ssh
sh -c 'ssh -o StrictHostKeyChecking=no 10.9.8.6; :'
## Client for the desktop or terminal of another machine started
#setup stubs /usr/bin/xtigervncviewer
xtigervncviewer 10.9.8.6
## Debug bridge of another device opened by a script
#also Client for the desktop or terminal of another machine started
#setup stubs /usr/bin/adb
adb connect 10.9.8.6:5555
## Desktop of this machine shared by a command
#setup stubs /usr/bin/vncpasswd
vncpasswd /tmp/p
## Tool copied from a scratch folder to a scratch folder elsewhere
#setup stubs /usr/bin/scp
scp -q /tmp/x ann@10.9.8.6:/tmp/x
## Data passed to a neighbour by a shell or a network tool
#also Reverse shell by bash's own network
#setup listener 9000
bash -c 'exec 3<>/dev/tcp/10.9.8.7/9000; head -c 9000 /dev/zero >&3'; sleep 0.3
## Transfer tool given a bare private address and a scratch folder
#setup web
curl -s http://10.9.8.7:8000/true -o /tmp/x
## Program or script of a shared folder changed by an untrusted program
#setup mkdir -p /srv/share; echo x > /srv/share/run.sh
python3 -c 'open("/srv/share/run.sh", "a")'
## Program or script of a shared folder changed by hand
#setup mkdir -p /srv/share; echo x > /srv/share/run.sh
sh -c 'echo x >> /srv/share/run.sh'
## Starter put on a removable disk
mkdir -p /media/ann/stick; sh -c 'echo x > /media/ann/stick/autorun.inf'
## Attack in the text of a request
curl -s --max-time 1 http://10.9.8.6/../../../../etc/passwd || true
## Tool that attacks services started
#setup stubs /usr/bin/nuclei
nuclei -u http://10.9.8.6
## Token given on a command line
curl -s --max-time 1 -H 'Authorization: Bearer abc' http://10.9.8.6/ || true
## Token of the pod read, then used by hand
#also Cloud credentials read in a container
#also Download tool in a container
#also Suspicious Process Execution
#in shop:1
#setup mkdir -p /run/secrets/kubernetes.io/serviceaccount; echo x > /run/secrets/kubernetes.io/serviceaccount/token; listener 443
cat /run/secrets/kubernetes.io/serviceaccount/token > /dev/null; curl -s --max-time 1 https://10.9.8.7/ || true
## Ticket or certificate of a scratch folder used for a login
#setup stubs /usr/bin/kinit
kinit -k -t /tmp/x.keytab admin
## Terminal of another session taken over by a tool
#setup stubs /usr/bin/reptyr
reptyr 412
## Terminal of others opened by an untrusted program
#setup python3 -c 'import os, pty, time; main, other = pty.openpty(); open("/run/victim", "w").write(os.ttyname(other)); time.sleep(100)' & until [ -s /run/victim ]; do sleep 0.05; done
python3 -c 'import os; os.open(open("/run/victim").read(), os.O_RDWR | os.O_NOCTTY)'
## Agent of SSH of a user used by root
#setup mkdir -p /tmp/ssh-AbC; python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("/tmp/ssh-AbC/agent.412"); s.listen(); time.sleep(60)' & until [ -S /tmp/ssh-AbC/agent.412 ]; do sleep 0.05; done
SSH_AUTH_SOCK=/tmp/ssh-AbC/agent.412 timeout 1 ssh-add -l || true
## Mail sent by a script
#setup stubs /usr/bin/mail
sh -c 'mail -s x ann; :'
