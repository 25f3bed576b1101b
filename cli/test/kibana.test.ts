import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { planLines } from '../src/kibana/view.ts';
import { assertEscaped, HOSTILE, plain, ringfence } from './support.ts';

const dir = mkdtempSync(join(tmpdir(), 'rf-kibana-'));
after(() => rmSync(dir, { recursive: true, force: true }));

test('export writes what an administrator can import, in the names of the configured prefix', async () => {
  const target = join(dir, 'files');
  const { code, stdout, stderr } = await ringfence([
    ...['kibana', 'export', target, '--json'],
    ...['--set', 'auditor.elasticsearch.prefix=acme'],
  ]);
  assert.equal(code, 0, stderr);
  const { files } = JSON.parse(stdout) as { files: readonly string[] };
  assert.equal(files.length, 2 + readdirSync(join(target, 'dashboards-api')).length);
  const rule = JSON.parse(readFileSync(join(target, 'detection-rule.ndjson'), 'utf8')) as { index: readonly string[] };
  assert.deepEqual(rule.index, ['logs-acme.alerts-*']);
  assert.match(readFileSync(join(target, 'saved-objects.ndjson'), 'utf8'), /"title":"acme-incidents"/);
});

test('a secret comes from a file or the environment, and is in no message', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(401).end('{"message":"no"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = join(dir, 'secret');
  writeFileSync(file, 'c2VjcmV0\n');
  const plan = (args: readonly string[], env = {}) => ringfence(['kibana', 'plan', '--url', url, ...args], env);
  const runs = [
    await plan(['--api-key-file', file]),
    await plan([], { RINGFENCE_KIBANA_API_KEY: 'c2VjcmV0' }),
    await plan(['--user', 'me', '--password-file', file]),
    await plan(['--user', 'me'], { RINGFENCE_KIBANA_PASSWORD: 'c2VjcmV0' }),
  ];
  server.close();
  const basic = `Basic ${Buffer.from('me:c2VjcmV0').toString('base64')}`;
  assert.deepEqual(seen, ['ApiKey c2VjcmV0', 'ApiKey c2VjcmV0', basic, basic]);
  for (const { code, stdout, stderr } of runs) {
    assert.equal(code, 1);
    assert.match(stderr, /^ringfence: GET \/api\/status: .*\(ERR_KIBANA_CREDENTIALS\)\n$/);
    assert.ok(!(stdout + stderr).includes('c2VjcmV0'));
  }
});

test('arguments that do not fit together are refused before anything is sent', async () => {
  const noPassword = await ringfence(['kibana', 'plan', '--url', 'http://127.0.0.1:1', '--user', 'me']);
  assert.equal(noPassword.code, 2);
  assert.match(noPassword.stderr, /--user needs --password-file or RINGFENCE_KIBANA_PASSWORD/);
  const noFile = await ringfence(['kibana', 'plan', '--url', 'http://127.0.0.1:1', '--ca', join(dir, 'none')]);
  assert.equal(noFile.code, 1);
  assert.match(noFile.stderr, /--ca .*none can't be read/);
});

test('a plan has a line for each change, and escapes what Kibana answered', () => {
  const object = {
    type: 'dashboard',
    id: 'x',
    title: `T${HOSTILE}`,
    change: 'update',
    differences: [HOSTILE],
  } as const;
  const plan = { version: HOSTILE, form: 'saved-objects', objects: [object, { ...object, change: 'none' }] } as const;
  const lines = planLines(plain, plan, false);
  assert.equal(lines.length, 4);
  assertEscaped(lines.join('\n'));
  assert.match(lines[1] ?? '', /^ {2}update {3}dashboard "T/);
  assert.match(planLines(plain, plan, true)[1] ?? '', /^ {2}updated {2}dashboard/);
});
