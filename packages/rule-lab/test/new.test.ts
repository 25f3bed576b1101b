import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { compileDetectorRules } from '@ringfence/detector';
import { O, SyntheticHost } from '@ringfence/synthetic';
import { recordingEntry, recordingHeader } from '@ringfence/wire';
import { benchRules } from '../src/bench.ts';
import { enrichedBatches } from '../src/events/event-judge.ts';
import { readGiven } from '../src/events/given.ts';
import { Judge } from '../src/events/judge.ts';
import { explainInFile } from '../src/explain.ts';
import { scaffold, writtenFields } from '../src/new.ts';
import { runTests } from '../src/test.ts';

const dir = mkdtempSync(join(tmpdir(), 'rf-rules-'));
test.after(() => rmSync(dir, { recursive: true }));

const ASKED = {
  name: 'Odd Shell!',
  description: undefined,
  condition: undefined,
  priority: 'warning',
  technique: 'T1059.004',
  event: undefined,
};

/** A web server's shell reads and connects. */
function recorded(): { readonly host: SyntheticHost; readonly batch: Buffer } {
  const host = new SyntheticHost();
  host.container({ cgroup: 7n, id: 'c0ffee', name: 'shop', image: 'shop:1.4' });
  const httpd = host.exec(host.fork(host.init, { cgroup: 7n }), '/usr/sbin/httpd');
  const shell = host.spawn(httpd, '/usr/bin/dash', ['sh', '-c', "echo 'a\\b'"]);
  host.open(shell, '/etc/shadow', O.RDONLY);
  host.connect(shell, '203.0.113.7', 4444);
  host.change(shell, 'RENAME', '/tmp/a', { target: '/etc/cron.d/a' });
  return { host, batch: host.batch() };
}

async function* once(batch: Buffer): AsyncGenerator<Buffer> {
  yield batch;
}

const keysOf = (host: SyntheticHost) => new Map([[host.hostId, host.key.publicKey]]);

function recordingFile(): string {
  const { host, batch } = recorded();
  const path = join(dir, 'attack.rec');
  writeFileSync(path, Buffer.concat([recordingHeader(keysOf(host)), recordingEntry(batch)]));
  return path;
}

test('a new rule has no warnings and passes its test', async () => {
  const made = scaffold(ASKED);
  assert.equal(made.base, 'odd-shell');
  assert.deepEqual(compileDetectorRules([{ name: 'a', text: made.rule }]).diagnostics, []);
  const { results, faults } = await runTests(
    [{ name: 'a.test.yaml', text: made.test }],
    [{ name: 'a', text: made.rule }],
  );
  assert.deepEqual(faults, []);
  assert.deepEqual(
    results.map(({ failures }) => failures),
    [[], []],
  );
});

test('a rule from any event of a recording matches that event, and passes its test', async () => {
  const { host, batch } = recorded();
  const { events } = await new Judge([]).judgeRecording(once(batch), keysOf(host));
  const acted = events.filter(
    ({ document }) => document['process.executable'] !== undefined && document['event.action'] !== 'fork',
  );
  assert.deepEqual(
    acted.map(({ document }) => document['event.action']),
    ['exec', 'exec', 'open', 'connect', 'rename'],
  );
  for (const { document } of acted) {
    const made = scaffold({ ...ASKED, event: document });
    const rules = [{ name: 'a', text: made.rule }];
    const { results, faults } = await runTests([{ name: 'a.test.yaml', text: made.test }], rules);
    assert.deepEqual([faults, results.flatMap(({ failures }) => failures)], [[], []], made.rule);
    const { alerts } = await new Judge(rules).judgeRecording(once(batch), keysOf(host));
    assert.ok(alerts.length > 0, made.rule);
    const [again] = new Judge([]).judge([readGiven(Object.entries(writtenFields(document)))]).events;
    assert.deepEqual(again?.laid, [], made.test);
  }
});

test('an invalid condition is rejected, but a condition with macros of other files is accepted', () => {
  assert.throws(() => scaffold({ ...ASKED, condition: 'process.nam = sh' }), {
    name: 'OperatorError',
    message: [
      "odd-shell.yaml:3:14: error: unknown field 'process.nam'",
      '  3 |   condition: process.nam = sh',
      '    |              ^',
      "  hint: Did you mean 'process.name'?",
    ].join('\n'),
  });
  for (const condition of ['shell_procs and process.name = sh', 'process.name in (shell_binaries)'])
    assert.match(scaffold({ ...ASKED, condition }).rule, new RegExp(condition.slice(0, 10)));
});

test('an unknown technique or priority is rejected', () => {
  assert.throws(() => scaffold({ ...ASKED, technique: 'T0000' }), OperatorError);
  assert.throws(() => scaffold({ ...ASKED, priority: 'loud' }), /expected one of debug/);
  assert.throws(() => scaffold({ ...ASKED, name: '??' }), /letters or digits/);
});

const RULES = [
  {
    name: 'r',
    text: `- rule: Secrets
  condition: event.action = open and file.path = /etc/shadow and process.name = cat
- rule: Out
  condition: event.action = connect and destination.port = 4444
`,
  },
];

test('a rule is explained on an event of a recording by its number, or on the closest event', async () => {
  const path = recordingFile();
  const near = await explainInFile('Secrets', { path, text: undefined, which: undefined }, RULES);
  assert.equal(near.holds, false);
  assert.equal(near.event.document['file.path'], '/etc/shadow');
  assert.deepEqual(
    near.event.explanation?.parts.map((part) => [part.text, part.holds, part.actual]),
    [
      ["event.action = 'open'", true, 'open'],
      ["file.path = '/etc/shadow'", true, '/etc/shadow'],
      ["process.name = 'cat'", false, 'dash'],
    ],
  );
  const named = await explainInFile('Out', { path, text: undefined, which: String(near.event.number + 1) }, RULES);
  assert.equal(named.holds, true);
  await assert.rejects(explainInFile('Out', { path, text: undefined, which: '99' }, RULES), /has no event 99/);
  await assert.rejects(explainInFile('Nobody', { path, text: undefined, which: '1' }, RULES), /no rule 'Nobody'/);
});

test('a rule is explained on an event in YAML', async () => {
  const text = 'event.action: connect\ndestination.port: 4444\nprocess.name: nc\n';
  const explained = await explainInFile('Out', { path: 'e.yaml', text, which: undefined }, RULES);
  assert.equal(explained.holds, true);
  const wrong = explainInFile('Out', { path: 'e.yaml', text: '[[a]]', which: undefined }, RULES);
  await assert.rejects(wrong, /e\.yaml:1:2: error: expected an event/);
});

test('bench counts events and hits, and lists every rule once', async () => {
  const { host, batch } = recorded();
  const batches = await Array.fromAsync(enrichedBatches(once(batch), keysOf(host)));
  const set = compileDetectorRules(RULES);
  const reported: number[] = [];
  const result = benchRules(set, new Set(['Secrets', 'Out']), batches, (done) => reported.push(done));
  assert.equal(result.events, 8);
  assert.deepEqual(result.rules.map(({ rule, hits }) => `${rule} ${hits}`).sort(), ['Out 1', 'Secrets 0']);
  assert.deepEqual(reported, [1, 2]);
});
