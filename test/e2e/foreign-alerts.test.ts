import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { reservePorts } from '@ringfence/dev-servers';
import { Installation } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

type Shown = Readonly<Record<string, unknown>>;

test('an alert of Falco, posted to the agent, raises an alert about the process that it names', {
  skip,
}, async () => {
  await using home = new Installation();
  await using reserved = await reservePorts(1);
  const [port] = reserved.ports;
  home.settings.push(
    'collector.alerts.enabled=true',
    `collector.alerts.listen=127.0.0.1:${port}`,
    'collector.alerts.token=token-of-the-test',
  );
  await using _ = await home.up();
  const suspect = spawn('sleep', ['1000'], { stdio: 'ignore' });
  try {
    const fields = { 'proc.pid': suspect.pid, 'proc.pid.ts': Date.now() * 1e6, 'proc.cmdline': 'sleep 1000' };
    const alert = { rule: 'Read sensitive file untrusted', priority: 'Warning', output: 'x', output_fields: fields };
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      body: JSON.stringify(alert),
      headers: { authorization: `Basic ${Buffer.from('falco:token-of-the-test').toString('base64')}` },
    });
    assert.equal(response.status, 200);
    const [found] = await until(
      'the alert',
      async () => {
        const printed = await home.output(['alerts', '--json', '--where', "rule = 'Alert of another sensor'"]);
        const alerts = printed.split('\n').filter(Boolean);
        return alerts.length === 0 ? undefined : alerts.map((line) => JSON.parse(line) as Shown);
      },
      120_000,
    );
    assert.match(String(found?.['output']), /^falco: Read sensitive file untrusted \(sleep 1000, user /);
    const lineage = found?.['lineage'] as readonly { readonly pid: number; readonly executable: string }[];
    assert.equal(lineage[0]?.pid, suspect.pid, JSON.stringify(found));
    assert.match(lineage[0]?.executable ?? '', /\/sleep$/);
  } finally {
    suspect.kill('SIGKILL');
  }
});
