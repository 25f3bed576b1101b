import assert from 'node:assert/strict';
import test from 'node:test';
import { catalogue } from '@ringfence/fields';
import { createSyntheticHost, O, type SyntheticHost } from '@ringfence/synthetic';
import { EventView } from '@ringfence/wire';
import type { EnricherPipeline } from '../src/pipeline.ts';
import { createTestEnricher, records, TestStore } from './support.ts';

const FIELDS = ['event.action', 'process.executable', 'process.hash.state', 'process.hash.skipped', 'Hashes'];
const SHA256 = '5e'.repeat(32);
const SIGMA = `SHA256=${SHA256.toUpperCase()}`;

/** Returns the named fields of each event of the next batch that has a process. */
function fieldsOf(enricher: EnricherPipeline, host: SyntheticHost, offset: number, names = FIELDS): unknown[][] {
  const fields = names.map((name) => catalogue.fields.find((field) => field.name === name));
  const rows: unknown[][] = [];
  for (const { value } of enricher.handle(records(host, [host.batch()], offset)).outputs) {
    const view = new EventView();
    view.open(value ?? new Uint8Array());
    while (view.next()) if (view.process !== undefined) rows.push(fields.map((field) => field?.get(view)));
  }
  return rows;
}

test('a hash is pending until its event arrives; later execs of the file have it at once', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.hashes();
  const first = host.exec(host.fork(), '/tmp/x');
  host.open(first, '/etc/passwd', O.RDONLY);
  assert.deepEqual(fieldsOf(enricher, host, 0).slice(1), [
    ['exec', '/tmp/x', 'pending', undefined, undefined],
    ['open', '/tmp/x', 'pending', undefined, undefined],
  ]);
  const child = host.fork(first);
  host.hash(first, '/tmp/x', { sha256: SHA256 });
  host.open(child, '/etc/passwd', O.RDONLY);
  host.exec(host.fork(), '/tmp/x');
  host.exec(host.fork(), '/tmp/x', { ctime: host.wallOffset + 1 });
  const [, hash, open, , again, , changed] = fieldsOf(enricher, host, 1);
  assert.deepEqual(hash, ['hash', '/tmp/x', 'hashed', undefined, SIGMA]);
  assert.deepEqual(
    open,
    ['open', '/tmp/x', 'hashed', undefined, SIGMA],
    'a child that was forked before the hash arrived',
  );
  assert.deepEqual(again, ['exec', '/tmp/x', 'hashed', undefined, SIGMA]);
  assert.deepEqual(changed, ['exec', '/tmp/x', 'pending', undefined, undefined], 'another ctime is another file');
});

test('a skipped hash has its reason, for one exec or for each exec of the file', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.hashes();
  const gone = host.exec(host.fork(), '/tmp/gone');
  host.hash(gone, '/tmp/gone', { skipped: 'gone', lasting: false });
  const big = host.exec(host.fork(), '/opt/big');
  host.hash(big, '/opt/big', { skipped: 'too big' });
  host.exec(host.fork(), '/tmp/gone');
  host.exec(host.fork(), '/opt/big');
  const rows = fieldsOf(enricher, host, 0).filter(([action]) => action !== 'fork');
  assert.deepEqual(rows, [
    ['exec', '/tmp/gone', 'pending', undefined, undefined],
    ['hash', '/tmp/gone', 'skipped', 'gone', undefined],
    ['exec', '/opt/big', 'pending', undefined, undefined],
    ['hash', '/opt/big', 'skipped', 'too big', undefined],
    ['exec', '/tmp/gone', 'pending', undefined, undefined],
    ['exec', '/opt/big', 'skipped', 'too big', undefined],
  ]);
});

test('a hash that arrives after the next exec belongs to the hashed program, and names its writer', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.hashes();
  const shell = host.exec(host.fork(), '/bin/sh');
  host.open(shell, '/tmp/stage1', O.WRONLY);
  const process = host.exec(host.fork(shell), '/tmp/stage1');
  host.exec(process, '/bin/true');
  host.hash(process, '/tmp/stage1', { sha256: SHA256 });
  host.open(process, '/etc/passwd', O.RDONLY);
  const names = ['process.executable', 'process.hash.sha256', 'process.exec.writer.name', 'process.parent.name'];
  const rows = fieldsOf(enricher, host, 0, names);
  assert.deepEqual(rows.at(-2), ['/tmp/stage1', SHA256, 'sh', 'sh']);
  assert.deepEqual(rows.at(-1), ['/bin/true', undefined, undefined, 'sh']);
});

test('a process has the hashes of its script and of the interpreter; a hash event has the one that it reports', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.hashes();
  const names = [
    'event.action',
    'process.name',
    'process.script_hash.state',
    'process.script_hash.sha256',
    'process.hash.state',
    'process.exec.writer.name',
  ];
  const run = { scriptInode: host.inodeOf('/tmp/x.sh') };
  host.open(host.exec(host.fork(), '/usr/bin/curl'), '/tmp/x.sh', O.WRONLY);
  const first = host.exec(host.fork(), '/bin/sh', run);
  host.hash(first, '/tmp/x.sh', { sha256: SHA256, script: true });
  host.open(first, '/etc/passwd', O.RDONLY);
  host.hash(first, '/bin/sh', { sha256: 'aa'.repeat(32) });
  host.exec(host.fork(), '/bin/sh', run);
  const rows = fieldsOf(enricher, host, 0, names).filter(([action]) => action !== 'fork');
  assert.deepEqual(rows.slice(2), [
    ['exec', 'sh', 'pending', undefined, 'pending', undefined],
    ['hash', 'sh', 'hashed', SHA256, undefined, 'curl'],
    ['open', 'sh', 'hashed', SHA256, 'pending', undefined],
    ['hash', 'sh', undefined, undefined, 'hashed', undefined],
    ['exec', 'sh', 'hashed', SHA256, 'hashed', undefined],
  ]);
});

test('no hash is pending if the agent does not hash; a hash of a file alone has no process', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.exec(host.fork(), '/bin/true');
  host.hash(undefined, '/bin/true', { sha256: SHA256 });
  assert.deepEqual(fieldsOf(enricher, host, 0).at(-1), ['exec', '/bin/true', undefined, undefined, undefined]);
  host.hashes();
  host.exec(host.fork(), '/bin/true');
  assert.deepEqual(fieldsOf(enricher, host, 1).at(-1), ['exec', '/bin/true', 'hashed', undefined, SIGMA]);
});

test('hashes of files are bounded and survive a restart; a hash of another length is malformed', async () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  const store = new TestStore();
  host.hashes();
  for (let i = 0; i < 10_000; i++) host.hash(undefined, `/bin/p${i}`, { sha256: SHA256 });
  host.hash(undefined, '/bin/short', { sha256: 'ab' });
  store.apply(enricher.handle(records(host, [host.batch()], 0)));
  const restarted = createTestEnricher(host);
  await restarted.restore(store.entries());
  for (const path of ['/bin/p0', '/bin/p9999', '/bin/short']) host.exec(host.fork(), path);
  const rows = fieldsOf(restarted, host, 1).filter(([action]) => action === 'exec');
  assert.deepEqual(
    rows.map(([, , state, why]) => [state, why]),
    [
      ['pending', undefined],
      ['hashed', undefined],
      ['skipped', 'malformed'],
    ],
  );
});
