## serves the web by Node
#desc a Node web application under load
#in host
#in shop/web:3
mkdir -p /srv/www; for n in $(seq 1 50); do head -c 2000 /dev/urandom > /srv/www/$n; done
cat > /srv/web.js <<'X'
const http = require('http'), fs = require('fs');
const server = http.createServer((q, r) => fs.readFile('/srv/www' + q.url, (e, d) => { fs.appendFileSync('/var/log/access.log', q.url + '\n'); r.end(d); }));
server.listen(8080, '127.0.0.1', async () => {
  for (let n = 0; n < 3000; n++) await (await fetch('http://127.0.0.1:8080/' + (1 + n % 50), { headers: n % 3 ? {} : { connection: 'close' } })).arrayBuffer();
  process.exit(0);
});
X
node /srv/web.js
