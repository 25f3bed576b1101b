## Remote login client started in a container
#also Right of root used for the first time by an image
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
for n in $(seq 1 11); do ssh -o BatchMode=yes -o StrictHostKeyChecking=no 10.9.8.$n; done
## Agent of SSH used by another program
#setup cat > /tmp/agent.py <<'X'
#setup import socket, os, time
#setup os.makedirs('/tmp/ssh-aa'); s = socket.socket(socket.AF_UNIX); s.bind('/tmp/ssh-aa/agent.8'); s.listen(); time.sleep(20)
#setup X
#setup python3 /tmp/agent.py & sleep 0.5
python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("/tmp/ssh-aa/agent.8")'
## Engine of another machine commanded
curl -s http://10.9.8.7:2375/containers/json
## Redis told to write a file
#setup stubs /usr/bin/redis-cli
redis-cli -h 10.9.8.7 config set dir /root/.ssh
## Tool for Windows machines started
#setup stubs /usr/bin/rpcclient
rpcclient -U x dc1
## File of a scratch folder copied to another machine
echo x > /tmp/x; scp -o BatchMode=yes /tmp/x 10.9.8.7:/tmp/x
## Many machines commanded by a server's command
#also Command sent to many machines by hand
#also Shell started by a network server
#setup stubs /usr/bin/pdsh
server 'pdsh -a id'
