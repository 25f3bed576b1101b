## Connection to a port of mining pools
/opt/lab/connect tcp4 203.0.113.9 14444
## Miner started
#setup stubs /opt/xmrig
/opt/xmrig -o stratum+tcp://pool:3333
## Data destroyed
#setup stubs /usr/bin/shred
shred -n1 /dev/sda
## Fork storm at its limit
setpriv --reuid 1000 --clear-groups python3 -c '
import os, resource, time
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
for n in range(151):
  if n == 150: time.sleep(1.2)
  try: os.fork()
  except OSError: pass'
## Files of a database changed behind its back
mkdir -p /var/lib/mysql/shop; dd if=/dev/zero of=/var/lib/mysql/shop/orders.ibd bs=1 count=1 status=none
## Flood of the network started
#setup stubs /usr/sbin/hping3
hping3 --flood -S -p 80 203.0.113.9
## Wallet taken
#setup mkdir -p /home/ann/.bitcoin; echo x > /home/ann/.bitcoin/wallet.dat
cp /home/ann/.bitcoin/wallet.dat /tmp/x
## Firmware written
#setup stubs /usr/sbin/flashrom
flashrom -p internal -w /tmp/x.rom
## Flood of connections
#setup printf '%s\n' 'import socket' 'for n in range(110): socket.socket().connect_ex(("203.0.113.9", 80))' > /srv/load.py
python3 /srv/load.py
## Flood of connections to a neighbour
#setup printf '%s\n' 'import socket' 'for n in range(110): socket.socket().connect_ex(("10.9.8.6", 8080))' > /srv/load.py
python3 /srv/load.py
## Fork storm of a script
python3 -c '
import os, time
for n in range(230):
  if n == 229: time.sleep(1.2)
  if os.fork() == 0: os._exit(0)'
## Many mails sent by a script
python3 -c '
import socket
for n in range(12): socket.socket().connect_ex(("10.9.8.6", 25))'
## Many mails sent by a command
#also Mail sent by a script
#setup stubs /usr/sbin/sendmail
for n in $(seq 61); do /usr/sbin/sendmail -f n$n@x.example ann; done
## Bandwidth of the machine sold
#setup stubs /usr/local/bin/pawns-cli
pawns-cli -accept-tos
## File or folder covered from a scratch folder
#also Data written to a hidden file of a scratch folder
#also File system in a hidden file
#setup mkdir -p /var/lib/feed; echo x > /var/lib/feed/rates
echo y > /dev/shm/.r; mount --bind /dev/shm/.r /var/lib/feed/rates; umount /var/lib/feed/rates; rm /dev/shm/.r
## Flash memory of the machine written
#also Firmware or its settings opened by hand
#setup private_dev; : > /dev/mtd0
echo x > /dev/mtd0
## Ports of the chipset asked for by an untrusted program
#setup printf '#include <sys/io.h>\nint main(void) { return iopl(3) != 0; }\n' > /opt/io.c; gcc -o /opt/io /opt/io.c
/opt/io; true
## Flood of datagrams
python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(6000): s.sendto(b"x", ("203.0.113.9", 9))
s.close()'
