## Remote login client started in a container
#also Suspicious Process Execution
#in shop:1
ssh -o BatchMode=yes 10.9.8.7
## Remote login client started by a server's command
#also Shell of a server connects out
#also Shell started by a network server
server 'ssh -o BatchMode=yes 10.9.8.7'
## SSH with a password on the command line
#setup stubs /usr/bin/sshpass
sshpass -p secret ssh 10.9.8.7
## Many machines logged in to
#also Login that checks nobody's identity
#also Machines logged in to one after another by a script
for n in $(seq 1 11); do ssh -o BatchMode=yes -o StrictHostKeyChecking=no 10.9.8.$n; done
## Agent of SSH used by another program
#setup cat > /tmp/agent.py <<'X'
#setup import socket, os, time
#setup os.makedirs('/tmp/ssh-aa'); s = socket.socket(socket.AF_UNIX); s.bind('/tmp/ssh-aa/agent.8'); s.listen(); time.sleep(20)
#setup X
#setup python3 /tmp/agent.py & sleep 0.5
python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("/tmp/ssh-aa/agent.8")'
## Engine of another machine commanded
#setup python3 -m http.server -b 10.9.8.7 2375 > /dev/null 2>&1 &
#setup until ss -ltn | grep -q ':2375 '; do sleep 0.05; done
curl -s http://10.9.8.7:2375/containers/json
## Redis told to write a file
#setup stubs /usr/bin/redis-cli
redis-cli -h 10.9.8.7 config set dir /root/.ssh
## Tool for Windows machines started
#also Tool that lists accounts of a domain started
#setup stubs /usr/bin/rpcclient
rpcclient -U x dc1
## File of a scratch folder copied to another machine
echo x > /tmp/x; scp -o BatchMode=yes /tmp/x 10.9.8.7:/srv/x
## Many machines commanded by a server's command
#also Shell started by a network server
#setup stubs /usr/bin/pdsh
server 'pdsh -a id'
## Tool for attacks on Windows domains started
#setup stubs /usr/bin/pth-winexe
pth-winexe -U x //10.9.8.7 cmd
## Administrative share of a Windows machine opened
#also Tool for Windows machines started
#setup stubs /usr/bin/smbclient
smbclient '//10.9.8.7/C$' -U ann
## Login with a key of a scratch folder
#setup ssh-keygen -q -t ed25519 -N '' -f /tmp/k
ssh -o BatchMode=yes -i /tmp/k 10.9.8.7
## Machines logged in to one after another by a script
#also Login that checks nobody's identity
for n in 1 2 3 4 5; do ssh -o BatchMode=yes -o StrictHostKeyChecking=no 10.9.8.$n; done
## Session of another user taken over
#setup setpriv --reuid 1000 --regid 1000 --clear-groups tmux -S /tmp/tmux-ann new-session -d -s work
tmux -S /tmp/tmux-ann capture-pane -p -t work
## Screen of a machine shared without a password
#also Desktop of this machine shared by a command
#also Tool for access from afar started
#setup stubs /usr/bin/x11vnc
x11vnc -display :0 -nopw
## Desktop or terminal of another machine reached by a script
#setup python3 -m http.server -b 10.9.8.7 5900 > /dev/null 2>&1 &
#setup until ss -ltn | grep -q ':5900 '; do sleep 0.05; done
#setup printf '%s\n' 'import socket' 's = socket.create_connection(("10.9.8.7", 5900)); s.send(b"GET / HTTP/1.0" + bytes([13, 10, 13, 10])); s.recv(9)' > /srv/x.py
python3 /srv/x.py
## Hook of a shared repository written
mkdir -p /srv/git/web.git/hooks; echo x > /srv/git/web.git/hooks/post-update
## Scripts of a shared folder changed one after another
#also Program or script of a shared folder changed by hand
mkdir -p /srv/team; for n in a b c; do echo true >> /srv/team/$n.sh; done
