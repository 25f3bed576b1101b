## administers
#desc an administrator at a shell, who inspects the machine, changes accounts, settings, mounts and network, and makes a backup
#in host
#setup grep -q '^ann:' /etc/shadow || echo 'ann:*:19000:0:99999:7:::' >> /etc/shadow
ps aux | head; ps -ef | grep node; top -bn1 | head -5; uptime; free -m; df -h; du -sh /var/log; ls -la /etc /home; w; last | head -3; who; id; uname -a; hostname
useradd -m bob; usermod -aG audio bob; chage -l bob; passwd -l bob; chsh -s /bin/sh bob; groupadd ops; gpasswd -a bob ops; userdel -r bob; groupdel ops
tail -n 20 /var/log/*.log; grep -i error -r /var/log | head; journalctl -n 5 --no-pager; systemctl status ssh; systemctl list-units | head
cp /etc/hosts /etc/hosts.bak; sed -i 's/localhost/localhost lab/' /etc/hosts; printf '$a\nx\n.\nw\nq\n' | ed -s /etc/motd; vim -es -u NONE -c wq /etc/hosts
chmod 640 /etc/hosts.bak; chown root:adm /etc/hosts.bak; ln -s /etc/hosts /root/hosts; mkdir -p /srv/data; touch /srv/data/{a,b,c}; find /srv -mtime +30 -delete; rm -rf /srv/data
mkdir -p /mnt/x; mount -t tmpfs tmpfs /mnt/x; umount /mnt/x; sysctl -w net.ipv4.ip_forward=0; sysctl -a 2>/dev/null | wc -l
ip addr; ip route; ss -tlnp; netstat -rn; lsof -p 1 | head; strace -c ls > /dev/null; gdb -batch -ex quit /bin/true
tar czf /tmp/backup.tgz /etc/ssl /var/lib/dpkg/info; tar tzf /tmp/backup.tgz | wc -l; gzip -k -f /etc/services; md5sum /usr/bin/[a-d]* > /tmp/sums; sha256sum -c /tmp/none
ssh-keygen -q -t ed25519 -N '' -f /root/deploy; openssl x509 -in /etc/ssl/certs/*1.pem -noout -text | head -3; openssl rand -hex 16; curl -s http://127.0.0.1:9/; getent passwd root
cat /etc/os-release /etc/passwd /etc/group /proc/cpuinfo /proc/meminfo > /dev/null; awk -F: '{print $1}' /etc/passwd; perl -ne 'print if /root/' /etc/passwd; python3 -c 'import os; print(os.listdir("/"))'
su ann -c id; su nobody -s /bin/sh -c 'ls /'; env > /dev/null; date; which bash; file /bin/ls; man ls; logger hello; nohup sleep 0.2 & wait
