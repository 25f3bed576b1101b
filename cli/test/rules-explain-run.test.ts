import assert from 'node:assert/strict';
import test from 'node:test';
import { type Explained, explainInFile } from '../src/rules/explain.ts';

const RULES = [
  {
    name: 'r',
    text: `- rule: Written and run
  condition: >
    sequence by process.parent.entity_id with maxspan=1m
      [ event.action = open and file.open.write = true ] as $written
      [ event.action = exec and process.executable = $written.file.path ] with runs=2
    until [ event.action = exit ] by process.entity_id
- rule: Not again
  condition: >
    sequence by host.id with maxspan=10s
      [ event.action = exec and process.name = stop ]
      ![ event.action = exec and process.name = start ]
- rule: Three at once
  condition: event.action = exec and process.name = su
  threshold: { count: 3, by: [user.id], within: 1m }
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
const said = ({ run }: Explained): string[] => run!.steps.map(({ number, says }) => `${number} ${says}`);

test('each event of a sequence says which step it fits, what it is joined by and compared with, and what is missing', async () => {
  const text = `
- { event.action: exec, process.pid: 500, process.name: bash }
- { event.action: open, process.pid: 501, process.name: curl, process.parent.pid: 500, file.path: /tmp/x, file.open.write: true, after: 1s }
- { event.action: exec, process.pid: 502, process.executable: /tmp/y, process.parent.pid: 500, after: 2s }
- { event.action: exec, process.pid: 503, process.executable: /tmp/x, process.parent.pid: 500, after: 8s }
`;
  const unfinished = await explained('Written and run', text);
  assert.equal(unfinished.holds, false);
  const { steps, rest } = unfinished.run!;
  assert.deepEqual(
    said(unfinished).slice(1),
    [
      '2 1 of 2 steps; step 2 is missing: 1 min of 1 min are left',
      '3 1 of 2 steps; step 2 is missing: 58 s of 1 min are left',
      '4 1 of 2 steps; step 2 is missing (1 of 2 of step 2): 50 s of 1 min are left',
    ].map((one) => one.replaceAll('1 min', '60 s')),
  );
  const [, opened, other, same] = steps;
  const parts = (step: typeof opened) => step?.explanation?.parts.map((part) => [part.text, part.holds]);
  assert.deepEqual(parts(opened), [['step 1', true]]);
  assert.deepEqual(parts(other), [['step 2, one of 2', false]]);
  assert.deepEqual(parts(same), [['step 2, one of 2', true]]);
  const compared = (step: typeof opened) => step?.explanation?.parts[0]?.parts.slice(1);
  assert.deepEqual(
    compared(other)?.map((part) => [part.text, part.holds, part.actual]),
    [
      ['by process.parent.entity_id', true, compared(other)?.[0]?.actual],
      ['process.executable = 1.file.path', false, '/tmp/y, /tmp/x'],
    ],
  );
  assert.equal(compared(same)?.[1]?.holds, true);
  assert.match(rest.join(), /: 1 of 2 steps; step 2 is missing/);

  const again = '- { event.action: exec, process.pid: 504, process.executable: /tmp/x, process.parent.pid: 500 }\n';
  const whole = await explained('Written and run', text + again);
  assert.deepEqual([whole.holds, said(whole).at(-1)], [true, '5 completes the sequence']);
  const ended = await explained(
    'Written and run',
    `${text}- { event.action: exit, process.pid: 500, process.name: bash }\n${again}`,
  );
  assert.deepEqual(
    [
      ended.holds,
      said(ended)
        .slice(-2)
        .map((one) => one.slice(2)),
    ],
    [false, ['ends what had begun', 'nothing has begun for it']],
  );
});

test('a sequence that ends in what must not come is told when it has not', async () => {
  const text = `
- { event.action: exec, process.pid: 500, process.name: stop }
- { after: 20s }
`;
  const told = await explained('Not again', text);
  assert.equal(told.holds, true);
  assert.deepEqual(said(told), [
    '1 all 1 steps have come; it is an alert unless what is missing comes: 10 s of 10 s are left',
    '2 what must not come has not come: it is an alert',
  ]);
});

const su = (user: number, after: string): string =>
  `- { event.action: exec, process.name: su, user.id: ${user}, after: ${after} }\n`;

test('thresholds say what is counted for each key, new terms what is known, suppression what is held back', async () => {
  const text = su(1, '1s') + su(2, '1s') + su(1, '1s') + su(1, '1s') + su(1, '10s');
  assert.deepEqual(said(await explained('Three at once', text)), [
    '1 1 of 3 within 60 s',
    '2 1 of 3 within 60 s',
    '3 2 of 3 within 60 s',
    '4 reaches 3',
    '5 it has matched: it counts again in 50 s',
  ]);
  assert.deepEqual(said(await explained('New here', su(1, '1s') + su(1, '90s') + su(2, '1s'))), [
    '1 is learned: the rule learns for 60 s more',
    '2 is known: it was seen 90 s before',
    '3 is new',
  ]);
  assert.deepEqual(said(await explained('Once', su(1, '1s') + su(1, '1s') + su(2, '1s'))), [
    '1 matches',
    '2 is held back: suppress and throttle admit no more for now',
    '3 matches',
  ]);
});

test('events may be JSON lines', async () => {
  const line = JSON.stringify({ 'event.action': 'exec', 'process.name': 'su', 'user.id': 1 });
  const { run, holds } = await explained('Three at once', `${line}\n${line}\n\n${line}\n`, 'e.jsonl');
  assert.deepEqual([holds, run?.steps.length], [true, 3]);
});
