## serves logins
#desc a server to which people and programs log in: shells, sudo, rsync, sftp, git, tunnels, cron
#in host
#needs sshd rsync cron crontab sudo visudo
#setup id sshd > /dev/null 2>&1 || useradd -r -d /run/sshd -s /usr/sbin/nologin sshd
#setup mkdir -p /run/sshd /home/ann/.ssh /root/.ssh /var/spool/cron/crontabs; getent group crontab || groupadd -r crontab; chgrp crontab /usr/bin/crontab /var/spool/cron/crontabs; chmod 1730 /var/spool/cron/crontabs; chmod 2755 /usr/bin/crontab
#setup ssh-keygen -q -t ed25519 -N '' -f /srv/host; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519; cp /root/.ssh/id_ed25519.pub /home/ann/.ssh/authorized_keys; chown -R ann /home/ann; chmod 700 /home/ann/.ssh
#setup sed -i 's/^ann:!*:/ann:*:/' /etc/shadow; printf '#1000 ALL=(ALL) NOPASSWD: ALL\n' > /etc/sudoers.d/ann; chmod 440 /etc/sudoers.d/ann /etc/sudoers; echo 127.0.0.1 lab >> /etc/hosts
#setup mkdir -p /etc/cron.d /var/log/app; printf '* * * * * root cd / && find /var/log/app -mtime +7 -delete\n* * * * * ann test -x /usr/bin/id && id -u > /dev/null\n' > /etc/cron.d/lab
printf 'Port 22\nListenAddress 127.0.0.1\nHostKey /srv/host\nUsePAM no\nPidFile /run/sshd.pid\nSubsystem sftp /usr/lib/openssh/sftp-server\n' > /srv/sshd_config
/usr/sbin/sshd -t -f /srv/sshd_config; /usr/sbin/sshd -f /srv/sshd_config; cron; export SSH='ssh -o StrictHostKeyChecking=accept-new -o BatchMode=yes'
to() { $SSH ann@127.0.0.1 "$@"; }
to 'uptime; df -h /; w; id'; to 'cd /tmp && echo x > notes && cat notes; ls -la ~'; $SSH -tt ann@127.0.0.1 'stty -a | head -1; ps; exit 0' < /dev/null; printf 'cd /srv\nls\nps aux | wc -l\nexit\n' | $SSH -tt ann@127.0.0.1
to 'sudo systemctl status nginx; sudo tail -n 2 /var/log/dpkg.log; sudo -l; sudo id; sudo -u postgres true; sudo sh -c "echo 1 > /srv/flag"; sudo install -m 644 /etc/hosts /srv/hosts'
mkdir -p /srv/site; for n in $(seq 1 100); do echo $n > /srv/site/$n; done; rsync -a -e "$SSH" /srv/site/ ann@127.0.0.1:site/; echo new > /srv/site/1; rsync -az --delete -e "$SSH" /srv/site/ ann@127.0.0.1:site/
scp -q -o BatchMode=yes -r /srv/site ann@127.0.0.1:copy; printf 'put /etc/hosts h\nget h /srv/h\nls\nbye\n' | sftp -q -o BatchMode=yes -b - ann@127.0.0.1
git config --global init.defaultBranch main; to 'git init -q --bare app.git'; GIT_SSH_COMMAND="$SSH" git clone -q ann@127.0.0.1:app.git /srv/app; cd /srv/app; git config user.email a@example.org; git config user.name a; echo 1 > f; git add f; git commit -qm one; GIT_SSH_COMMAND="$SSH" git push -q origin HEAD
tar czf - -C /etc ssl | to 'cat > backup.tgz; tar tzf backup.tgz | wc -l'; to 'printf "*/5 * * * * true\n" | crontab -; crontab -l; crontab -r'
ssh-keygen -q -t ed25519 -N '' -f /srv/second; to "umask 077; cat >> .ssh/authorized_keys" < /srv/second.pub; $SSH -i /srv/second ann@127.0.0.1 true; ssh-keygen -R 127.0.0.1
$SSH -f -N -L 127.0.0.1:8222:127.0.0.1:22 ann@127.0.0.1; ssh-keyscan -p 8222 127.0.0.1 | wc -l
# cron starts its jobs when the next minute begins.
sleep $((62 - $(date +%-S)))
kill "$(cat /run/sshd.pid)" "$(cat /run/crond.pid)"
