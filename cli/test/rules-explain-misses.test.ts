import assert from 'node:assert/strict';
import test from 'node:test';
import { explainInFile } from '@ringfence/rule-lab';
import { missLines } from '../src/rules/test-view.ts';

const EVENTS = `
- { event.action: exec, process.name: cat, process.command_line: cat /etc/passwd }
- { event.action: exec, process.name: sh, process.command_line: sh -c id }
- { event.action: connect, process.name: cat, destination.ip: 10.0.0.1 }
`;

async function missed(condition: string, which?: string): Promise<readonly string[] | undefined> {
  const file = { path: 'events.yaml', text: EVENTS, which };
  const sources = [{ name: 'r.yaml', text: `- rule: r\n  condition: ${JSON.stringify(condition)}\n` }];
  const { misses } = await explainInFile('r', file, sources);
  return misses && missLines(misses);
}

test('of a rule that no event fits it is told what failed, and on how many', async () => {
  assert.deepEqual(
    await missed("event.action = exec and process.name = cat and not (user.id = 0 or process.name = 'cat')"),
    [
      '  the rule looks at 2 exec of 3 events; the closest is above. Failed parts, with their number of events:',
      "    2  not (user.id = 0 or process.name = 'cat')",
      "    1  process.name = 'cat'",
    ],
  );
});

test('of a sequence none of whose steps any event fits, what failed of each', async () => {
  const sequence = `sequence by host.id with maxspan=1m [ event.action = exec and process.name = nc ] [ event.action = connect and destination.port = 4444 ]`;
  assert.deepEqual(await missed(sequence), [
    '  the rule looks at 2 exec, 1 connect of 3 events; the closest is above. Failed parts, with their number of events:',
    "    3  step 1: process.name = 'nc'",
    '    3  step 2: destination.port = 4444',
    "    2  step 2: event.action = 'connect'",
    "    1  step 1: event.action = 'exec'",
  ]);
});

test('of a rule for other events only that', async () => {
  assert.deepEqual(await missed('event.action = module_load'), ['  the rule matches none of the kinds of 3 events']);
});

test('nothing of a rule that matches, or of one event', async () => {
  assert.equal(await missed('event.action = exec'), undefined);
  assert.equal(await missed('event.action = connect', '1'), undefined);
});

test('what was asked for and is not there is said', async () => {
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

test('a file of events that is wrong is refused with its line and place', async () => {
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
