## Connection to a mining pool
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
