## Many files encrypted
python3 -c '
for n in range(25): open(f"/home/ann/{n}.docx.locked", "w").close()'
## Many files encrypted by a tool
#also File encrypted or decrypted with a password on the command line
for n in $(seq 1 11); do openssl enc -aes-256-cbc -pbkdf2 -k x -in /etc/hosts -out /home/ann/$n.e; done
## Ransom note written
echo pay > /home/ann/HOW_TO_DECRYPT.txt
## Many files of one kind overwritten in place
#setup cp /bin/tee /home/ann/tool; for n in $(seq 1 110); do echo x > /home/ann/$n.docx; done
/home/ann/tool /home/ann/*.docx < /etc/hosts
## Copies for restoring removed
rm -rf /var/backups/x
## Many services stopped
for n in mysql nginx docker php redis cups; do systemctl stop $n; done
## Many accounts locked
for n in 1 2 3 4 5 6; do userdel nobody$n; done
## Rival miners killed
pkill -9 -f kdevtmpfsi
## Machine tuned for mining
#setup stubs /usr/sbin/wrmsr
wrmsr -a 0x1a4 0xf
## Mining pool's name asked for
timeout 2 busybox nslookup pool.supportxmr.com 10.9.8.1
## Web page replaced by a server's command
#also Shell started by a network server
#setup mkdir -p /var/www/html
server 'echo x > /var/www/html/index.html'
## Machine stopped by a server's command
#also Shell started by a network server
#setup stubs /usr/sbin/reboot
server '/usr/sbin/reboot -f'
## Fork bomb typed
#setup stubs /usr/bin/bash
bash -c ':(){ :|:& };:'
## Disk overwritten by a stranger
#setup truncate -s 1M /tmp/disk; losetup /dev/loop7 /tmp/disk; cp /bin/tee /home/ann/tool
/home/ann/tool /dev/loop7 < /etc/hostname; losetup -d /dev/loop7
