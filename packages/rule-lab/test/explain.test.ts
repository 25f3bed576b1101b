import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { ApiClient } from '@ringfence/runtime/client';
import { explainRunning } from '../src/explain.ts';

const EVENT = 'h/b/1/0/0/7';
const RULES = [
  {
    name: 'r',
    text: `- rule: Preloaded
  condition: >
    event.action = exec and process.env_vars[LD_PRELOAD] startswith /tmp/ and process.ancestors.name[2] = sshd
    and process.exit_code not exists
`,
  },
];
const DOCUMENT = {
  'event.action': 'exec',
  'event.id': EVENT,
  'process.command_line': 'id',
  'process.env_vars': ['HOME=/', 'LD_PRELOAD=/tmp/x.so'],
  'process.ancestors.name': ['bash', 'sshd', 'systemd'],
};

const dir = mkdtempSync(join(tmpdir(), 'rf-explain-'));
const socket = join(dir, 'up.sock');
const asked: string[] = [];
/** Responses of a running `up`: an alert of one event, and that event. */
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://up');
  const where = searchParams.get('where') ?? '';
  asked.push(`${pathname} ${where}`);
  if (pathname === '/alerts' && where === "id = 'a1'") response.end(`${JSON.stringify({ events: ['x', EVENT] })}\n`);
  else if (pathname === '/events' && where.includes(EVENT)) response.end(`${JSON.stringify(DOCUMENT)}\n`);
  else response.end();
}).listen(socket);
test.before(() => server.listening || once(server, 'listening'));
test.after(() => {
  server.close();
  rmSync(dir, { recursive: true });
});
const client = new ApiClient(socket);

test('a rule is explained on the event of an alert that the bus of the running up still has', async () => {
  const { holds, event } = await explainRunning('Preloaded', 'a1', client, RULES);
  assert.deepEqual(
    event.explanation?.parts.map((part) => [part.text, part.holds]),
    [
      ["event.action = 'exec'", true],
      ["process.env_vars[LD_PRELOAD] startswith '/tmp/'", true],
      ["process.ancestors.name[2] = 'sshd'", true],
      ['not', true],
    ],
  );
  assert.equal(holds, true);
});

test('an event is looked up by its id, and a missing event, alert or rule is an error', async () => {
  assert.equal((await explainRunning('Preloaded', EVENT, client, RULES)).event.id, EVENT);
  await assert.rejects(explainRunning('Preloaded', 'h/b/1/0/0/8', client, RULES), /is no longer on the bus/);
  await assert.rejects(explainRunning('Preloaded', 'a2', client, RULES), /there is no alert a2/);
  await assert.rejects(explainRunning('Nobody', EVENT, client, RULES), /no rule 'Nobody'/);
  await assert.rejects(explainRunning('Prelaoded', EVENT, client, RULES), /Did you mean 'Preloaded'\?/);
  await assert.rejects(explainRunning('Preloaded', "x' or id exists or id = '", client, RULES), /there is no alert/);
  assert.equal(asked.at(-1), "/alerts id = 'x or id exists or id = '");
});
