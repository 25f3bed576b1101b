import assert from 'node:assert/strict';
import test from 'node:test';
import { type Explained, explainInFile } from '../src/explain.ts';

const RULES = [
  {
    name: 'r',
    text: `- rule: Written and run
  condition: >
    sequence with maxspan=1m
      [ event.action = open and file.open.write = true ] by process.parent.entity_id as $written
      [ event.action = exec and process.executable = $written.file.path ] by process.parent.entity_id
    until [ event.action = exit ] by process.entity_id
- rule: Guessed
  condition: >
    sequence by process.parent.entity_id with maxspan=1m
      [ event.action = exec and process.name = su ] with runs=3
      [ event.action = exec and process.name = sh ]
- rule: Not again
  condition: >
    sequence by host.id with maxspan=10s
      [ event.action = exec and process.name = stop ]
      ![ event.action = exec and process.name = start ]
- rule: Three at once
  condition: event.action = exec and process.name = su
  threshold: { count: 3, by: [user.id], within: 1m }
- rule: Many
  condition: event.action = fork and process.name = su
  threshold: { count: 5000, by: [user.id, file.path], within: 1h }
- rule: Again and again
  condition: event.action = exec and process.name = su
  threshold: { regular: 3, every: 2s, by: [user.id], within: 10m }
- rule: New here
  condition: event.action = exec and process.name = su
  first_seen: { by: [user.id], within: 1d, learn: 1m }
- rule: Once
  condition: event.action = exec and process.name = su
  suppress: { by: [user.id], for: 1m }
`,
  },
];

const explained = async (rule: string, text: string, path = 'e.yaml'): Promise<Explained> =>
  await explainInFile(rule, { path, text, which: undefined }, RULES);
const effects = ({ run }: Explained): string[] => run!.steps.map(({ number, says }) => `${number} ${says}`);

test('each event of a sequence shows its step, join keys, comparisons, and the missing steps', async () => {
  const text = `
- { event.action: exec, process.pid: 500, process.name: bash }
- { event.action: open, process.pid: 501, process.name: curl, process.parent.pid: 500, file.path: /tmp/x, file.open.write: true, after: 1s }
- { event.action: exec, process.pid: 502, process.executable: /tmp/y, process.parent.pid: 500, after: 2s }
`;
  const same =
    '- { event.action: exec, process.pid: 503, process.executable: /tmp/x, process.parent.pid: 500, after: 8s }\n';
  const unfinished = await explained('Written and run', text);
  assert.equal(unfinished.holds, false);
  assert.deepEqual(effects(unfinished).slice(-2), [
    '2 1 of 2 steps; step 2 is missing: 60 s of 60 s are left',
    '3 1 of 2 steps; step 2 is missing: 58 s of 60 s are left',
  ]);
  assert.match(unfinished.run!.rest.join(), /: 1 of 2 steps; step 2 is missing: 58 s of 60 s are left$/);

  const whole = await explained('Written and run', text + same);
  assert.deepEqual([whole.holds, effects(whole).at(-1)], [true, '4 completes the sequence']);
  const [opened, joining, last] = whole.run!.steps.slice(-3).map(({ explanation }) => explanation?.parts);
  const shown = [opened, joining, last].map((parts) => parts?.map(({ text: step, holds }) => [step, holds]));
  assert.deepEqual(shown, [[['step 1', true]], [['step 2', false]], [['step 2', true]]]);
  const [, joined, compared] = joining?.[0]?.parts ?? [];
  assert.deepEqual([joined?.text, joined?.holds], ['by process.parent.entity_id', true]);
  assert.deepEqual(
    [compared?.text, compared?.holds, compared?.actual],
    ['process.executable = 1.file.path', false, '/tmp/y, /tmp/x'],
  );

  const exit = '- { event.action: exit, process.pid: 500, process.name: bash }\n';
  const ended = await explained('Written and run', text + exit + same);
  assert.deepEqual(
    [ended.holds, ...effects(ended).slice(-2)],
    [false, '4 ends the unfinished sequence', '5 no sequence has begun for it'],
  );
});

test('a repeated step shows the number of its events', async () => {
  const text = '- { event.action: exec, process.name: su, process.parent.name: x, repeat: 3, after: 1s }\n';
  assert.deepEqual(effects(await explained('Guessed', text)), [
    '1 1 of 3 of step 1',
    '1 2 of 3 of step 1',
    '1 1 of 2 steps; step 2 is missing: 58 s of 60 s are left',
  ]);
});

test('a sequence that ends in a forbidden step reports when the step has not come', async () => {
  const text = `
- { event.action: exec, process.pid: 500, process.name: stop }
- { after: 20s }
`;
  const result = await explained('Not again', text);
  assert.equal(result.holds, true);
  assert.deepEqual(effects(result), [
    '1 all 1 steps have come; it becomes an alert unless a forbidden event comes: 10 s of 10 s are left',
    '2 the event that must not follow has not come: it is an alert',
  ]);
});

const su = (user: number, after: string): string =>
  `- { event.action: exec, process.name: su, user.id: ${user}, after: ${after} }\n`;

test('thresholds show the count for each key, new terms the known values, suppression the suppressed matches', async () => {
  const text = su(1, '1s') + su(2, '1s') + su(1, '1s') + su(1, '1s') + su(1, '10s');
  assert.deepEqual(effects(await explained('Three at once', text)), [
    '1 1 of 3 within 60 s',
    '2 1 of 3 within 60 s',
    '3 2 of 3 within 60 s',
    '4 reaches 3',
    '5 it has matched and counts again in 50 s',
  ]);
  const many = '- { event.action: fork, process.name: su, user.id: 1, event.count: 1234 }\n';
  const counted = await explained('Many', many);
  assert.deepEqual(effects(counted), ['1 1234 of 5000 within 60 min']);
  const { holds, parts = [] } = counted.run!.steps[0]?.explanation ?? {};
  assert.deepEqual([holds, parts.at(-1)?.text, parts.at(-1)?.actual], [true, 'by file.path', '<NA>']);
  assert.deepEqual(effects(await explained('Again and again', su(1, '1s') + su(1, '9s') + su(1, '9s'))), [
    '1 1 of 3 in a row at regular times within 10 min',
    '2 2 of 3 in a row at regular times within 10 min',
    '3 reaches 3',
  ]);
  assert.deepEqual(effects(await explained('New here', su(1, '1s') + su(1, '90s') + su(2, '1s'))), [
    '1 is learned: the rule learns for 60 s more',
    '2 is known: it was seen 90 s before',
    '3 is new',
  ]);
  assert.deepEqual(effects(await explained('Once', su(1, '1s') + su(1, '1s') + su(2, '1s'))), [
    '1 matches',
    '2 is held back by suppress or throttle',
    '3 matches',
  ]);
});

test('events may be JSON lines', async () => {
  const line = JSON.stringify({ 'event.action': 'exec', 'process.name': 'su', 'user.id': 1 });
  const { run, holds } = await explained('Three at once', `${line}\n${line}\n\n${line}\n`, 'e.jsonl');
  assert.deepEqual([holds, run?.steps.length], [true, 3]);
});
