import assert from 'node:assert/strict';
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Installation } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

type Shown = Readonly<Record<string, unknown>>;

test('a login in a log becomes an event and an alert, across a rotation and in a replay', {
  skip,
}, async () => {
  await using home = new Installation();
  const log = join(home.dir, 'auth.log');
  writeFileSync(log, 'Nov 25 15:55:06 web-1 sshd[811]: Accepted password for root from 203.0.113.8 port 1 ssh2\n');
  home.settings.push(`collector.logs.files=${log}`);
  await using _ = await home.up();
  const list = async (command: string, where: string): Promise<Shown[]> => {
    const lines = (await home.output([command, '--json', '--where', where])).split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Shown);
  };
  appendFileSync(log, 'Nov 25 15:55:07 web-1 sshd[812]: Accepted password for root from 203.0.113.9 port 40122 ssh2\n');
  renameSync(log, `${log}.1`);
  writeFileSync(log, "Nov 25 15:55:08 web-1 usermod[90]: add 'eve' to group 'sudo'\n");
  const alerts = await until(
    'two alerts',
    async () => {
      const found = await list(
        'alerts',
        "rule in ('Root login over SSH with a password', 'User added to a group of administrators')",
      );
      return found.length < 2 ? undefined : found;
    },
    120_000,
  );
  const outputs = [
    "eve: Nov 25 15:55:08 web-1 usermod[90]: add 'eve' to group 'sudo' (file)",
    'root logged in from 203.0.113.9 by password (file)',
  ];
  assert.deepEqual(alerts.map(({ output }) => output).sort(), outputs);
  const [login] = await list('events', 'event.action = ssh-login');
  const fields = ['event.outcome', 'user.name', 'source.ip', 'source.port', 'log.syslog.appname', 'log.file.path'];
  assert.deepEqual(
    fields.map((field) => login?.[field]),
    ['success', 'root', '203.0.113.9', 40_122, 'sshd', log],
  );
  const hosts = await list('events', 'host.hostname exists');
  assert.equal(hosts.length, 1);
  const recording = join(home.dir, 'logins.rec');
  await home.output(['record', recording, '--past', '--seconds', '3']);
  const played = await home.output(['replay', recording, '--json']);
  const replayed = played
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Shown)
    .filter(({ record }) => record === 'alert');
  for (const output of outputs) assert.ok(replayed.map((alert) => alert['output']).includes(output), output);
});
