## keeps a server
#desc the maintenance of a server: accounts, sudo, cron, rsync, rotated logs, file systems, terminals
#in host
#needs rsync logrotate crontab visudo
#setup mkdir -p /var/spool/cron/crontabs /srv/live /srv/backup; getent group crontab || groupadd -r crontab; for n in $(seq 1 300); do echo $n > /srv/live/$n; done
#setup chmod 440 /etc/sudoers; ssh-keygen -A; mkdir -p /run/sshd; [ -f /etc/ssh/sshd_config ] || cp /usr/share/openssh/sshd_config /etc/ssh/
groupadd ops; useradd -m -s /bin/bash -g ops carl; useradd -r -s /usr/sbin/nologin svc; echo carl:pw | chpasswd; chage -M 90 carl; usermod -aG adm carl; passwd -S carl; passwd -e carl; chfn -f Carl carl; newusers < /dev/null; pwck -r; grpck -r
EDITOR=true vipw; EDITOR=true vigr; visudo -c; EDITOR=true visudo; printf 'Defaults timestamp_timeout=5\n' > /srv/s; EDITOR='cp /srv/s' visudo -f /etc/sudoers.d/ops; visudo -c; groupmod -n operators ops; userdel -r carl; userdel svc; groupdel operators
printf '#!/bin/sh\nrsync -a /srv/live/ /srv/backup/\n' > /usr/local/sbin/backup; chmod 755 /usr/local/sbin/backup; printf '17 3 * * * /usr/local/sbin/backup\n' | crontab -u root -; crontab -l; EDITOR=true crontab -e; crontab -r
backup; touch /srv/live/1; rsync -a --delete --backup --backup-dir=/srv/old /srv/live/ /srv/backup/; tar --listed-incremental=/srv/snar -czf /srv/full.tgz -C /srv live; tar tzf /srv/full.tgz > /dev/null; tar xzf /srv/full.tgz -C /tmp; sha256sum /srv/full.tgz > /srv/full.sum; sha256sum -c /srv/full.sum
gpg --batch --yes --passphrase x -c /srv/full.tgz; openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -in /srv/full.tgz -out /srv/full.enc; split -b 1000 /srv/full.tgz /srv/part.; find /srv -name 'part.*' -delete
for log in syslog auth.log kern.log; do for n in $(seq 1 50); do echo "line $n" >> /var/log/$log; done; done
printf '/var/log/syslog /var/log/auth.log /var/log/kern.log {\n rotate 2\n compress\n delaycompress\n missingok\n create 0640 root adm\n su root adm\n}\n/var/log/lab.log {\n copytruncate\n size 1\n missingok\n}\n' > /etc/logrotate.d/lab; echo x > /var/log/lab.log
for n in 1 2 3 4; do logrotate -f -s /srv/lr /etc/logrotate.d/lab; done; logrotate -s /srv/lr /etc/logrotate.conf; ls /var/log
sed -i 's/^#Port 22/Port 22/' /etc/ssh/sshd_config; /usr/sbin/sshd -t 2> /dev/null; cp /etc/fstab /etc/fstab.old; printf 'tmpfs /mnt/t tmpfs defaults 0 0\n' >> /etc/fstab; mkdir -p /mnt/t; mount /mnt/t; mount -o remount,ro /mnt/t; umount /mnt/t
mkdir -p /etc/systemd/system; printf '[Service]\nExecStart=/usr/local/sbin/backup\n[Install]\nWantedBy=multi-user.target\n' > /srv/b.service; install -m 644 /srv/b.service /etc/systemd/system/backup.service; systemctl --root=/ enable backup; systemctl --root=/ disable backup; systemctl --root=/ is-enabled backup; rm /etc/systemd/system/backup.service
update-alternatives --install /usr/local/bin/ed editor-lab /usr/bin/ed 10; update-alternatives --list editor; dpkg-reconfigure --help > /dev/null; ldconfig; ldconfig -p | wc -l; localedef --list-archive; ln -sf /usr/share/zoneinfo/UTC /etc/localtime; update-ca-certificates > /dev/null
dd if=/dev/zero of=/srv/disk bs=1M count=8 status=none; mke2fs -q -F /srv/disk; e2fsck -fn /srv/disk; debugfs -R stats /srv/disk > /dev/null; losetup -a; blkid /srv/disk; swapon --show; lsblk > /dev/null; fallocate -l 1M /srv/f; truncate -s 0 /srv/f
nice -n 5 true; renice 1 $$; kill -0 1; timeout 1 sleep 0.1; setpriv --dump > /dev/null; lsof -i; ss -s; getent ahosts localhost; ip link; ip route add 192.0.2.0/24 dev lo; ip route del 192.0.2.0/24
tmux -L lab new-session -d 'sleep 0.5'; tmux -L lab ls; script -qc true /dev/null; TERM=xterm watch -n 1 -t -g date > /dev/null & sleep 1.2; ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; openssl s_client -connect 127.0.0.1:9 < /dev/null; openssl x509 -in /etc/ssl/certs/*2.pem -noout -dates
