import assert from 'node:assert/strict';
import test from 'node:test';
import type { Misses } from '../src/events/misses.ts';
import { explainInFile } from '../src/explain.ts';

const EVENTS = `
- { event.action: exec, process.name: cat, process.command_line: cat /etc/passwd }
- { event.action: exec, process.name: sh, process.command_line: sh -c id }
- { event.action: connect, process.name: cat, destination.ip: 10.0.0.1 }
`;

async function missesOf(condition: string, which?: string): Promise<Misses | undefined> {
  const file = { path: 'events.yaml', text: EVENTS, which };
  const sources = [{ name: 'r.yaml', text: `- rule: r\n  condition: ${JSON.stringify(condition)}\n` }];
  return (await explainInFile('r', file, sources)).misses;
}

test('for a rule that matches no event, each failed part has its number of events', async () => {
  assert.deepEqual(
    await missesOf("event.action = exec and process.name = cat and not (user.id = 0 or process.name = 'cat')"),
    {
      events: 3,
      kinds: { exec: 2 },
      failed: [
        ["not (user.id = 0 or process.name = 'cat')", 2],
        ["process.name = 'cat'", 1],
      ],
    },
  );
});

test('for a sequence that matches no event, each step has its failed parts', async () => {
  const sequence = `sequence by host.id with maxspan=1m [ event.action = exec and process.name = nc ] [ event.action = connect and destination.port = 4444 ]`;
  assert.deepEqual(await missesOf(sequence), {
    events: 3,
    kinds: { exec: 2, connect: 1 },
    failed: [
      ["step 1: process.name = 'nc'", 3],
      ['step 2: destination.port = 4444', 3],
      ["step 2: event.action = 'connect'", 2],
      ["step 1: event.action = 'exec'", 1],
    ],
  });
});

test('for a rule on other kinds of events, no part is reported as failed', async () => {
  assert.deepEqual(await missesOf('event.action = module_load'), { events: 3, kinds: {}, failed: [] });
});

test('a rule that matches, or an explanation of one event, has no misses', async () => {
  assert.equal(await missesOf('event.action = exec'), undefined);
  assert.equal(await missesOf('event.action = connect', '1'), undefined);
});

test('an event or rule that does not exist is an error with a suggestion', async () => {
  const file = { path: 'events.yaml', text: EVENTS, which: '9' };
  const text = `- rule: Right one\n  condition: event.action = exec\n- rule: Off\n  condition: event.action = exec\n  enabled: false\n`;
  const sources = [{ name: 'r.yaml', text }];
  await assert.rejects(explainInFile('Right one', file, sources), { message: 'events.yaml has no event 9: it has 3' });
  await assert.rejects(explainInFile('Rihgt one', file, sources), /Did you mean 'Right one'\?$/);
  await assert.rejects(explainInFile('Off', file, sources), /the rule 'Off' is switched off/);
  const table = { path: 'a.test.yaml', text: 'rule: Right one\ntests: []\n', which: undefined };
  await assert.rejects(explainInFile('Right one', table, sources), /played by ringfence rules test/);
});

const RULE = { name: 'r.yaml', text: '- rule: r\n  condition: event.action = exec\n' };

test('a malformed file of events is refused with the line and column of the error', async () => {
  for (const [path, text, message] of [
    [
      'a.yaml',
      '- { event.action: exec }\n- { event.action: exec, proces.name: x }\n',
      /^a\.yaml:2:25: error: unknown field/,
    ],
    [
      'a.jsonl',
      '{"event.action":"exec"}\n\n{"event.action":"exec","user.id":"x"}',
      /^a\.jsonl:3:24: error: 'user\.id' is a number/,
    ],
    ['a.jsonl', '{"event.action":', /^a\.jsonl:1:17: error: this is not valid YAML.*\n {2}1 \| \{"event\.action":\n/],
    ['a.yaml', '- [x]\n', /^a\.yaml:1:3: error: expected an event/],
    ['a.yaml', '', /^a\.yaml:1:1: error: expected an event/],
  ] as const)
    await assert.rejects(explainInFile('r', { path, text, which: undefined }, [RULE]), {
      name: 'OperatorError',
      message,
    });
});
