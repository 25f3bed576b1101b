/** What healthy machines do all day, as scripts for a sandbox: each takes a few seconds, and none needs the internet. */
export interface Job {
  readonly name: string;
  /** of the container that it happens in; undefined: on the host */
  readonly image?: string;
  readonly script: string;
}

/** A package with what packages bring: a cron job, a unit, a profile, a set-user-id program, scripts that make a user. */
const PACKAGE = `
mkdir -p /srv/pkg/DEBIAN /srv/pkg/etc/cron.daily /srv/pkg/etc/profile.d /srv/pkg/lib/systemd/system /srv/pkg/usr/sbin /srv/pkg/usr/share/demo
printf 'Package: lab-demo\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: lab <lab@example.org>\\nDescription: demo\\n' > /srv/pkg/DEBIAN/control
printf '#!/bin/sh\\nset -e\\nuseradd -r lab-demo || true\\nchown lab-demo /usr/share/demo\\nchmod 4755 /usr/sbin/lab-demo\\nldconfig\\n' > /srv/pkg/DEBIAN/postinst
printf '#!/bin/sh\\nset -e\\nuserdel lab-demo || true\\n' > /srv/pkg/DEBIAN/postrm
chmod 755 /srv/pkg/DEBIAN/p*
printf '#!/bin/sh\\nexit 0\\n' > /srv/pkg/etc/cron.daily/lab-demo
printf 'export LAB=1\\n' > /srv/pkg/etc/profile.d/lab-demo.sh
printf '[Service]\\nExecStart=/usr/sbin/lab-demo\\n' > /srv/pkg/lib/systemd/system/lab-demo.service
cp /usr/bin/true /srv/pkg/usr/sbin/lab-demo
for n in $(seq 1 200); do echo $n > /srv/pkg/usr/share/demo/$n; done
dpkg-deb --build /srv/pkg /srv/lab-demo.deb
apt-get install -y /srv/lab-demo.deb || dpkg -i /srv/lab-demo.deb
lab-demo
apt-get remove -y --purge lab-demo || dpkg -P lab-demo
apt-cache search shell | head -5; dpkg -l | wc -l
`;

const COMPILE = `
mkdir -p /home/ann/app/src && cd /home/ann/app
for n in $(seq 1 12); do printf '#include <stdio.h>\\n#include <stdlib.h>\\n#include <string.h>\\nint f%d(int x){char b[64];snprintf(b,64,"%%d",x);return atoi(b)+%d;}\\n' $n $n > src/f$n.c; done
{ for n in $(seq 1 12); do echo "int f$n(int);"; done; echo 'int main(void){int s=0;'; for n in $(seq 1 12); do echo "s+=f$n(s);"; done; echo 'return s<0;}'; } > src/main.c
printf 'OBJ=$(patsubst %%.c,%%.o,$(wildcard src/*.c))\\napp: $(OBJ)\\n\\tcc -o $@ $^\\nlib.a: $(OBJ)\\n\\tar rcs $@ $^\\ntest: app\\n\\t./app\\nclean:\\n\\trm -f src/*.o app lib.a\\n' > Makefile
printf 'int main(void){return 0;}' > /tmp/conftest.c && cc -o /tmp/conftest /tmp/conftest.c && /tmp/conftest
make -j2 app lib.a test && strip app && install -m 755 app /usr/local/bin/lab-app && make clean
`;

const DEVELOPER = `
export HOME=/home/ann; cd /home/ann
git config --global user.email ann@example.org; git config --global user.name ann; git config --global init.defaultBranch main
git init -q --bare /srv/repo.git; git clone -q /srv/repo.git repo; cd repo
for n in 1 2 3 4 5 6; do echo "console.log($n)" > f$n.js; git add .; git commit -q -m "change $n"; done
git push -q origin main; git log --oneline; git checkout -q -b side; git rebase -q main; git gc -q; git fetch -q
mkdir -p .venv; python3 -m venv --without-pip .venv; .venv/bin/python -c 'import json,ssl,socket; print(json.dumps({}))'
printf 'import unittest\\nclass T(unittest.TestCase):\\n  def test(self): self.assertTrue(True)\\n' > test_x.py; python3 -m unittest -q test_x
printf 'import base64,subprocess\\nprint(base64.b64encode(b"x"));subprocess.run(["id","-u"])\\n' > tool.py; python3 tool.py
grep -rn console . | wc -l; find . -name '*.js' | xargs wc -l; sed -i s/console/Console/ f1.js; diff f1.js f2.js; tar czf /tmp/src.tgz .; zip -qr /tmp/src.zip f*.js
for n in $(seq 1 20); do node -e 'require("fs").writeFileSync("out.json", JSON.stringify(process.versions))'; done
ssh-keygen -q -t ed25519 -N '' -f .key; openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout key.pem -out cert.pem 2>/dev/null
`;

const ADMIN = `
ps aux | head; ps -ef | grep node; top -bn1 | head -5; uptime; free -m; df -h; du -sh /var/log; ls -la /etc /home; w; last | head -3; who; id; uname -a; hostname
useradd -m bob; usermod -aG audio bob; chage -l bob; passwd -l bob; chsh -s /bin/sh bob; groupadd ops; gpasswd -a bob ops; userdel -r bob; groupdel ops
tail -n 20 /var/log/*.log; grep -i error -r /var/log | head; journalctl -n 5 --no-pager; systemctl status ssh; systemctl list-units | head
cp /etc/hosts /etc/hosts.bak; sed -i 's/localhost/localhost lab/' /etc/hosts; printf '$a\\nx\\n.\\nw\\nq\\n' | ed -s /etc/motd; vim -es -u NONE -c wq /etc/hosts
chmod 640 /etc/hosts.bak; chown root:adm /etc/hosts.bak; ln -s /etc/hosts /root/hosts; mkdir -p /srv/data; touch /srv/data/{a,b,c}; find /srv -mtime +30 -delete; rm -rf /srv/data
mkdir -p /mnt/x; mount -t tmpfs tmpfs /mnt/x; umount /mnt/x; sysctl -w net.ipv4.ip_forward=0; sysctl -a 2>/dev/null | wc -l
ip addr; ip route; ss -tlnp; netstat -rn; lsof -p 1 | head; strace -c ls > /dev/null; gdb -batch -ex quit /bin/true
tar czf /tmp/backup.tgz /etc/ssl /var/lib/dpkg/info; tar tzf /tmp/backup.tgz | wc -l; gzip -k -f /etc/services; md5sum /usr/bin/[a-d]* > /tmp/sums; sha256sum -c /tmp/none
ssh-keygen -q -t ed25519 -N '' -f /root/deploy; openssl x509 -in /etc/ssl/certs/*1.pem -noout -text | head -3; openssl rand -hex 16; curl -s http://127.0.0.1:9/; getent passwd root
cat /etc/os-release /etc/passwd /etc/group /proc/cpuinfo /proc/meminfo > /dev/null; awk -F: '{print $1}' /etc/passwd; perl -ne 'print if /root/' /etc/passwd; python3 -c 'import os; print(os.listdir("/"))'
su ann -c id; su nobody -s /bin/sh -c 'ls /'; env > /dev/null; date; which bash; file /bin/ls; man ls; logger hello; nohup sleep 0.2 & wait
`;

const CRON = `
run-parts --test /etc/cron.daily; run-parts --regex '^(dpkg|logrotate|passwd)$' /etc/cron.daily
find /tmp -type f -atime +10 -delete; find /var -name '*.gz' -size +100M; find / -xdev -maxdepth 3 -name '*.conf' > /dev/null
for log in syslog app web; do for n in 3 2 1; do [ -f /var/log/$log.$n ] && mv /var/log/$log.$n /var/log/$log.$((n+1)); done; echo line > /var/log/$log.1; gzip -f /var/log/$log.1; : > /var/log/$log.app; done
cp -a /var/lib/dpkg/status /var/backups/dpkg.status.0; cmp -s /var/lib/dpkg/status /var/backups/dpkg.status.0; gzip -kf /var/backups/dpkg.status.0
tar czf /var/backups/www.tgz /usr/share/doc/bash /usr/share/doc/tar; ls -t /var/backups | tail -n +5 | xargs -r rm
`;

const DATABASE = `
cd /srv; sqlite3 shop.db 'pragma journal_mode=delete; create table t(id integer primary key, name text, n int)'
for round in 1 2 3; do { for n in $(seq 1 300); do echo "insert into t(name,n) values('x$n',$n);"; done; } | sqlite3 shop.db; done
sqlite3 shop.db 'select count(*), sum(n) from t; update t set n=n+1; delete from t where n%7=0; vacuum'; sqlite3 shop.db .dump > dump.sql; sqlite3 copy.db < dump.sql
sqlite3 shop.db 'pragma journal_mode=wal'; for n in $(seq 1 60); do sqlite3 shop.db "insert into t(name,n) values('y',$n)"; done; gzip -f dump.sql; mv copy.db old.db; rm old.db
`;

const WEB = `
mkdir -p /srv/www; for n in $(seq 1 50); do head -c 2000 /dev/urandom > /srv/www/$n; done
cat > /srv/web.js <<'X'
const http = require('http'), fs = require('fs');
const server = http.createServer((q, r) => fs.readFile('/srv/www' + q.url, (e, d) => { fs.appendFileSync('/var/log/access.log', q.url + '\\n'); r.end(d); }));
server.listen(8080, '127.0.0.1', async () => {
  for (let n = 0; n < 1500; n++) await (await fetch('http://127.0.0.1:8080/' + (1 + n % 50), { headers: n % 3 ? {} : { connection: 'close' } })).arrayBuffer();
  process.exit(0);
});
X
node /srv/web.js
`;

const HEALTH_CHECKS = `
busybox httpd -p 127.0.0.1:8081 -h /usr/share/doc & sleep 0.2
for n in $(seq 1 15); do /bin/sh -c 'curl -fs http://localhost:8081/ > /dev/null || exit 1'; wget -qO- http://127.0.0.1:8081/bash/copyright > /dev/null; /bin/sh -c 'test -f /etc/hosts'; done
for n in $(seq 1 100); do echo "$n GET /" >> /var/log/app.log; done; ls /proc/1/; cat /proc/meminfo > /dev/null; getent hosts localhost
`;

/** What the lines of a Dockerfile do, in a builder's container. */
const IMAGE_BUILD = `
/bin/sh -c 'mkdir -p /app && adduser --system --group app || useradd -r app'
/bin/sh -c 'cd /usr/share && tar cf - zoneinfo | tar xf - -C /app'
/bin/sh -c 'printf "int main(void){return 0;}" > /app/m.c && cc -O2 -o /app/main /app/m.c && strip /app/main && /app/main'
/bin/sh -c 'cp /usr/bin/busybox /app/tool && chmod 4755 /app/tool && chmod +x /app/main && chown -R app /app'
/bin/sh -c 'printf "#!/bin/sh\\nexec /app/main\\n" > /usr/local/bin/entry && chmod +x /usr/local/bin/entry && /usr/local/bin/entry'
/bin/sh -c 'echo {} > /app/package.json && cd /app && node -e 1 && python3 -m compileall -q /app'
/bin/sh -c 'rm -rf /var/lib/apt/lists/* /var/cache/apt /tmp/* /usr/share/man/man1'
/bin/sh -c 'echo app:x:1:1::/app:/bin/sh > /dev/null; ldconfig; find / -xdev -perm -4000 -type f > /dev/null'
`;

export const CORPUS: readonly Job[] = [
  { name: 'installs and removes a package', script: PACKAGE },
  { name: 'installs a package in a container', image: 'debian:12', script: PACKAGE },
  { name: 'compiles', script: COMPILE },
  { name: 'compiles in a container', image: 'moby/buildkit:v0.21', script: COMPILE },
  { name: 'builds an image', image: 'moby/buildkit:v0.21', script: IMAGE_BUILD },
  { name: 'develops', script: DEVELOPER },
  { name: 'administers', script: ADMIN },
  { name: 'runs cron jobs', script: CRON },
  { name: 'loads a database', script: DATABASE },
  { name: 'loads a database in a container', image: 'shop/db:3', script: DATABASE },
  { name: 'serves the web', script: WEB },
  { name: 'serves the web in a container', image: 'shop/web:3', script: WEB },
  { name: 'checks the health of a container', image: 'shop/web:3', script: HEALTH_CHECKS },
];
