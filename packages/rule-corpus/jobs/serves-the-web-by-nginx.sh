## serves the web by nginx
#desc a web server with a proxied application, under load, with rotated logs
#in host
#in nginx:1.27
#needs nginx logrotate
#setup id www-data > /dev/null 2>&1 || useradd -r www-data
mkdir -p /srv/www /var/log/nginx /var/lib/nginx /etc/nginx; for n in $(seq 1 50); do head -c 3000 /dev/urandom > /srv/www/$n; done
cat > /srv/app.js <<'J'
require('http').createServer((q, r) => { let n = 0; q.on('data', (d) => (n += d.length)); q.on('end', () => r.end(String(n))); }).listen(8090, '127.0.0.1');
J
node /srv/app.js & app=$!
cat > /srv/nginx.conf <<'C'
user www-data; worker_processes 2; pid /run/nginx.pid; error_log /var/log/nginx/error.log;
events { worker_connections 256; }
http {
  access_log /var/log/nginx/access.log; client_body_buffer_size 1k;
  server { listen 127.0.0.1:8080; root /srv/www; location /api { proxy_pass http://127.0.0.1:8090; } location /old { return 301 /1; } }
}
C
printf '/var/log/nginx/*.log {\n rotate 3\n compress\n missingok\n sharedscripts\n create 0640 www-data adm\n su root root\n postrotate\n  [ -f /run/nginx.pid ] && kill -USR1 $(cat /run/nginx.pid)\n endscript\n}\n' > /srv/logrotate.conf; chmod 644 /srv/logrotate.conf
nginx -t -c /srv/nginx.conf; nginx -c /srv/nginx.conf
cat > /srv/load.js <<'J'
(async () => {
  for (let n = 0; n < 2500; n++) {
    const headers = n % 3 ? {} : { connection: 'close' };
    await (await fetch('http://127.0.0.1:8080/' + (n % 7 ? 1 + (n % 60) : n % 2 ? 'api' : 'old'), n % 14 === 7 ? { method: 'POST', body: 'x'.repeat(5000), headers } : { headers })).arrayBuffer();
  }
})();
J
for n in 1 2; do node /srv/load.js & done; wait %2 %3
for n in $(seq 1 20); do curl -fs http://127.0.0.1:8080/$n -o /dev/null; done
logrotate -f -s /srv/state /srv/logrotate.conf; nginx -s reload -c /srv/nginx.conf; curl -fsI http://127.0.0.1:8080/1 > /dev/null; logrotate -f -s /srv/state /srv/logrotate.conf
tail -n 3 /var/log/nginx/access.log; zcat /var/log/nginx/access.log.1.gz | awk '{print $9}' | sort | uniq -c; nginx -s quit -c /srv/nginx.conf; kill $app
