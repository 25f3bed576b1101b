## serves while developing
#desc a web developer: a development server that watches files, tests at each change, a bundle, npm scripts, a browser's requests
#in host
#in node:24
export HOME=/home/ann npm_config_offline=true npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false; mkdir -p /home/ann/site/src /home/ann/site/test; cd /home/ann/site
for n in $(seq 1 80); do echo "module.exports = () => $n;" > src/m$n.js; done
cat > server.js <<'J'
const fs = require('fs'), http = require('http');
fs.watch('src', () => {});
http.createServer((q, r) => { for (const f of fs.readdirSync('src')) fs.readFileSync('src/' + f); r.end(String(require('./src/m1.js')())); }).listen(8088, '127.0.0.1');
J
cat > build.js <<'J'
const fs = require('fs'), { createHash } = require('crypto');
let out = ''; for (const f of fs.readdirSync('src')) out += fs.readFileSync('src/' + f);
fs.mkdirSync('dist', { recursive: true }); for (let n = 0; n < 40; n++) fs.writeFileSync(`dist/${createHash('sha1').update(out + n).digest('hex')}.js`, out);
J
printf "const test = require('node:test'), assert = require('assert'), { execSync } = require('child_process');\nfor (let n = 1; n < 40; n++) test('m' + n, () => assert.equal(require('../src/m' + n + '.js')(), n));\ntest('shell', () => { for (let n = 0; n < 8; n++) execSync('git --version && cat package.json | wc -l'); });\n" > test/a.test.js
printf '{ "name": "site", "version": "1.0.0", "scripts": { "build": "node build.js", "test": "node --test", "prebuild": "rm -rf dist && mkdir -p dist", "start": "NODE_ENV=development node --watch server.js" } }\n' > package.json
npm start -s > /tmp/dev.log 2>&1 & dev=$!
sleep 1; for n in $(seq 1 6); do sed -i "s/module/ module/" src/m$n.js; printf 'x\n' >> src/notes; sleep 0.4; for r in 1 2 3 4; do curl -s http://127.0.0.1:8088/; done; done
npm test -s > /dev/null; npm run -s build; npm run -s build; node --check server.js; npx --no-install none 2> /dev/null; node -e 'new Worker' 2> /dev/null; node --inspect=127.0.0.1:0 -e 0
kill $dev; pkill -P $dev; tar czf site.tgz dist; npm pack -s
