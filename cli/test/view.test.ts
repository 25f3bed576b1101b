import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import test from 'node:test';
import { WriteStream } from 'node:tty';
import { paintFor } from '@ringfence/base';
import type { Status } from '@ringfence/runtime/status';
import { releasedRecord } from '@ringfence/testkit';
import { decode, type Incident, U64_ZERO, UNSIGNED } from '@ringfence/wire';
import { renderIncident } from '../src/incident/view.ts';
import { alertLine } from '../src/lists/alert-view.ts';
import { LiveView } from '../src/shared/live.ts';
import { statsText } from '../src/stats/view.ts';
import { bytesText, statusLines } from '../src/status/view.ts';

class Screen extends Writable {
  text = '';
  isTTY = true;
  rows = 10;
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const plain = paintFor(new Writable());

test('only a terminal gets colours, and none with NO_COLOR or TERM=dumb', () => {
  const terminal = (env: NodeJS.ProcessEnv): Screen =>
    Object.assign(new Screen(), { getColorDepth: () => WriteStream.prototype.getColorDepth(env) });
  assert.notEqual(paintFor(terminal({ TERM: 'xterm' })).red('x'), 'x');
  assert.equal(paintFor(terminal({ TERM: 'xterm', NO_COLOR: '1' })).red('x'), 'x');
  assert.equal(paintFor(terminal({ TERM: 'dumb' })).red('x'), 'x');
  assert.equal(plain.red('x'), 'x');
});

test('lines go above the block, which is drawn again below them', () => {
  const screen = new Screen();
  using view = new LiveView(screen);
  view.draw(['one', 'two']);
  screen.text = '';
  view.print('news');
  assert.equal(screen.text, '\u001b[2F\u001b[Jnews\n\u001b[?7lone\u001b[?7h\n\u001b[?7ltwo\u001b[?7h\n');
});

test('without a terminal there is no block and no escape sequence', () => {
  const screen = new Screen();
  screen.isTTY = false;
  using view = new LiveView(screen);
  view.draw(['status']);
  view.print('news');
  assert.equal(screen.text, 'news\n');
});

const hostile = 'a\u001b[2Jb\nc';
const incident: Incident = {
  id: 'inc-1',
  version: 3,
  state: 'open',
  mergedInto: '',
  hosts: [],
  joined: [],
  status: 'contained',
  verdict: 'undecided',
  history: [{ status: 'contained', verdict: 'undecided', by: 'responder', note: hostile, at: 1e15 }],
  ...UNSIGNED,
  hostId: 'h',
  title: '',
  hostname: '',
  lead: { rule: `Title ${hostile}`, tactics: ['execution'], executable: `/b${hostile}` },
  severity: 'critical',
  score: 71.4,
  firstSeen: 1e15,
  lastSeen: 1e15 + 2e6,
  stages: [{ tactic: 'execution', techniques: ['T1059'], firstSeen: 1e15 }],
  alerts: [
    {
      id: 'a1',
      rule: 'Rule',
      priority: 'error',
      tactics: ['execution'],
      timestamp: 1e15,
      entityId: 'e2',
      output: hostile,
      why: '',
      techniques: ['T1059'],
      hostId: 'h',
      process: { entityId: 'e2', pid: 2, executable: `/b${hostile}`, user: hostile },
      containerId: '',
      containerName: '',
      action: { kind: 'open', operation: 'open', failed: false, objects: { 'file.path': hostile } },
      reason: {
        ...{ kind: 'same_file', rule: hostile, peer: null, distance: 0, mergedChain: '', mergedBy: hostile },
        process: { entityId: 'e1', pid: 1, executable: hostile, user: '' },
        objects: { 'process.hash.sha256': hostile },
      },
      count: 1,
      lastTimestamp: 1e15,
    },
  ],
  omittedAlerts: 4,
  processes: [
    { entityId: 'e1', parentEntityId: '', pid: 1, executable: '/a', args: 'a', user: 'root', containerId: '' },
    {
      entityId: 'e2',
      parentEntityId: 'e1',
      pid: 2,
      executable: `/b${hostile}`,
      args: hostile,
      user: '',
      containerId: '',
    },
    { entityId: 'e3', parentEntityId: 'e1', pid: 3, executable: '/c', args: '', user: '', containerId: '' },
  ],
  container: null,
  story: [],
};

test('an incident shows stages, story, tree, evidence and response, and no control character of an attacker', () => {
  const text = renderIncident(plain, { incident, alerts: [], commands: [], results: [] });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/);
  assert.match(text, /\/ba\\x1b\[2Jb\\x0ac \(pid 2\) opened .* for reading: Rule \(execution, T1059\)/);
  assert.match(text, /├─ \/b/);
  assert.match(text, /└─ \/c/);
  assert.match(text, /and 4 more of the same/);
  assert.match(text, /nothing was ordered/);
});

test('an incident of 0.1.0 shows the sentences that it holds', () => {
  const old = decode('Incident', releasedRecord('incident'));
  const text = renderIncident(plain, { incident: old, alerts: [], commands: [], results: [] });
  assert.match(text, /■ Cron changed and command and control by \/bin\/bash, on 2 hosts/);
  assert.match(
    text,
    /02:00:01 on web-1: uid 0 ran \/tmp\/x \(pid 105\), which \/usr\/bin\/curl \(pid 104\) had written/,
  );
  assert.match(text, /opened inc-e65f7905b70c4b14, part of this incident: the connection/);
});

test('processes whose parents form a loop are drawn without end no more', () => {
  const [first, second] = incident.processes;
  assert.ok(first && second);
  const loop = { ...incident, processes: [{ ...first, parentEntityId: 'e1' }, second] };
  assert.doesNotThrow(() => renderIncident(plain, { incident: loop, alerts: [], commands: [], results: [] }));
});

test('what was done names target, outcome, time and policy', () => {
  const command = {
    id: 'c1',
    action: 'kill',
    mode: 'enforce',
    cause: 'a1',
    policy: 'demo',
    reason: 'rule asks',
    ordinal: 0,
    hostId: 'h',
    bootId: 'b',
    entityId: 'e2',
    pid: 2,
    start: U64_ZERO,
    executable: '/b',
    issuedAt: 1e15,
    expiresAt: 2e15,
    keyId: 'k',
    signature: Buffer.alloc(64),
  } as const;
  const result = {
    id: 'c1',
    hostId: 'h',
    outcome: 'executed',
    reason: '',
    executable: '/b',
    at: 1e15 + 1500,
    ...UNSIGNED,
  } as const;
  assert.match(
    renderIncident(plain, { incident, alerts: [], commands: [command], results: [result] }),
    /done {2}kill \/b \(pid 2\), 1\.5 ms after the order {2}policy demo: rule asks/,
  );
});

test('an alert is one line whatever it holds', () => {
  const line = alertLine(plain, {
    id: 'a',
    rule: `R${hostile}`,
    description: '',
    priority: 'error',
    tactics: [],
    techniques: [],
    tags: [],
    action: 'alert',
    output: hostile,
    hostId: '',
    bootId: '',
    timestamp: 1e15,
    ktime: 0,
    events: [],
    kind: 'exec',
    fields: {},
    lineage: [],
    container: null,
    cgroupPath: '',
    ...UNSIGNED,
  });
  assert.equal(line.split('\n').length, 1);
  assert.match(line, /a\\x1b\[2Jb\\x0ac/);
});

test('what keeps an enricher from telling silent hosts stands below the services', () => {
  const status = (deaf: string | null): Status =>
    ({
      ...{ version: '1', hostId: 'h', mode: 'observe', uptimeS: 7200, rssBytes: 0, bus: { usedBytes: 0 } },
      services: [{ name: 'enricher', lag: 0, stats: { deaf, deafLooks: { late: 3 } } }],
    }) as unknown as Status;
  const lines = (deaf: string | null) => statusLines(plain, status(deaf), status(deaf), 1);
  assert.match(lines(null)[0] ?? '', /up 2 h/);
  assert.equal(lines(null).length, 3);
  assert.equal(lines('this enricher looks too late').at(-1), '  this enricher looks too late');
});

test('the status names rule files that were refused, and says how many errors leave rules out', () => {
  const status = (stats: object) =>
    ({
      ...{ version: '1', hostId: 'h', mode: 'observe', uptimeS: 1, rssBytes: 0, bus: { usedBytes: 0 } },
      services: [{ name: 'detector', lag: 0, stats }],
    }) as unknown as Status;
  const lines = (stats: object) => statusLines(plain, status(stats), status(stats), 1).slice(3);
  assert.deepEqual(lines({ refusedRuleFiles: [], ruleErrors: 0 }), []);
  assert.deepEqual(lines({ refusedRuleFiles: ['my/a\u001b.yaml'], ruleErrors: 2 }), [
    '  my/a\\x1b.yaml has errors: what it was before stays in force; ringfence rules check says what',
    '  2 errors in rules: what has one is left out; ringfence rules check says what',
  ]);
});

test('sizes are shown with a unit', () => {
  assert.deepEqual([0, 1023, 1536, 5 * 2 ** 30].map(bytesText), ['0 B', '1023 B', '1.5 KiB', '5.0 GiB']);
});

test('the account of events is a table that adds up, and says what each cause means', () => {
  const text = statsText(
    {
      account: {
        kinds: [
          { lane: 0, kind: 'exec', seen: 1200, sent: 1200, drops: { read_fault: 1 } },
          { lane: 1, kind: 'open', seen: 5000, sent: 1000, drops: { unwatched: 3500, self: 400, ring_full: 99 } },
        ],
        lanes: [
          {
            lane: 1,
            sent: 1000,
            read: 990,
            inRing: 10,
            taken: 990,
            earlier: 5,
            delivered: 900,
            waiting: 95,
            dropped: 0,
            malformed: 0,
            underWay: 0,
          },
        ],
        throttled: [{ cgroup: '77', path: '/noisy\u001b[2J', lane: 1, kind: 'flow', count: 1234 }],
        failures: [{ place: 'text_user', errno: 'EFAULT', count: 7 }],
        forgotten: [{ map: 'owners', entries: 5000 }],
        skipped: [{ program: 'openat_exit', count: 12_345 }],
      },
      missingHooks: { dup2_exit: 'no such call', sendto_exit: "the hook sendto_exit can't be attached: E2BIG" },
      retriedHooks: ['sendto_exit'],
    },
    plain,
  );
  const cells = (name: string): string[] =>
    text
      .split('\n')
      .find((line) => line.includes(name))
      ?.trim()
      .split(/ {2,}/) ?? [];
  assert.deepEqual(cells('lane'), ['lane', 'event', 'seen', 'filtered', 'ring full', 'sent', 'under way']);
  assert.deepEqual(cells('open'), ['bulk', 'open', '5,000', '3,900', '99', '1,000', '1']);
  assert.deepEqual(cells('all').slice(1), ['6,200', '3,900', '99', '2,200', '1']);
  assert.match(text, /none: merged, throttled, other loss/);
  assert.match(text, /ring_full 99: nobody read the ring fast enough/);
  assert.match(text, /bulk: sent 1,000 = read 990 \+ still in the ring 10/);
  assert.match(text, /text_user EFAULT 7/);
  assert.match(text, /openat_exit 12,345/);
  assert.match(text, /missing now.*\n {2}the hook sendto_exit can't be attached: E2BIG/);
  assert.doesNotMatch(text, /no such call/);
  assert.match(text, /owners was full: at least 5,000 entries forgotten/);
  assert.match(text, /bulk flow 1,234 of \/noisy\\x1b\[2J \(cgroup 77\)/);
  assert.match(text, /read 990 \+ left over from before 5 = delivered 900 \+ spooled 95/);
});
