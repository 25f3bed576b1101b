import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { rsyslogMissing, startRsyslog } from '@ringfence/dev-servers';
import { Installation } from './lib/program.ts';
import { skip as noRoot } from './lib/root.ts';
import { until } from './lib/wait.ts';

const PAGE = join(import.meta.dirname, '../../docs/SINKS.md');

test('the commands of docs/SINKS.md check, try, start, list and replay the sink that it begins with', {
  skip: noRoot || (rsyslogMissing() ?? false),
}, async () => {
  const start = /^## Start\n(.*?)^## /ms.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '';
  const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(start) ?? [];
  const [, shell = ''] = /```sh\n(.*?)```/s.exec(start) ?? [];
  await using stack = new AsyncDisposableStack();
  const sinks = stack.adopt(mkdtempSync(join(tmpdir(), 'rf-soc-')), (path) => rmSync(path, { recursive: true }));
  const server = stack.use(await startRsyslog());
  const place = `url: tls://localhost:${server.ports.tls}\nca: ${server.caFile}`;
  mkdirSync(join(sinks, 'sinks'), { mode: 0o700 });
  writeFileSync(join(sinks, 'sinks/soc.yaml'), yaml.replace(/^url: .*$/m, place), { mode: 0o600 });
  const commands = shell
    .trim()
    .split('\n')
    .map((line) =>
      line
        .replace(/ +#.*$/, '')
        .replaceAll('/etc/ringfence', sinks)
        .split(' ')
        .slice(1),
    );
  assert.deepEqual(
    commands.map(([command, verb = '']) => (command === 'up' ? 'up' : `${command} ${verb}`)),
    ['sinks check', 'sinks test', 'up', 'sinks list', 'sinks replay'],
  );
  const [check = [], tryIt = [], up = [], list = [], replay = []] = commands;
  const sent = (): string[] => server.messages().flatMap(({ msg = '' }) => (msg.includes('CEF:0') ? [msg] : []));

  await using home = new Installation();
  assert.match(await home.output(check), /soc/);
  assert.match(await home.output(tryIt), /soc has confirmed the test/);
  await until('the test', () => sent().some((msg) => msg.includes('Test of a sink')));

  await using running = await home.up(up.slice(1));
  assert.match(await home.output(list), /soc/);
  await using demo = home.start(['demo']);
  assert.equal((await demo.ended).code, 0);
  const incident = (): string | undefined => sent().find((msg) => msg.includes('|incident|'));
  await until('the incident of the demo', () => incident() !== undefined);
  const before = sent().length;
  assert.match(await home.output(replay), /sent [1-9]\d* records to soc/);
  await until('the incident again', () => sent().length > before);
  assert.equal((await running.stop('SIGINT')).code, 0);
});
