/** Whole attacks on the running kernel: scripts play them at the same time before one pipeline, which has to tell them apart. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { alertReason, storyLines } from '@ringfence/incident-text';
import type { Incident } from '@ringfence/wire';
import { skip } from '../e2e/lib/root.ts';
import { until } from '../e2e/lib/wait.ts';
import { type Played, Stage, titleOf } from './lib/stage.ts';

interface Expected {
  /** scripts of attacks/, each a tree of processes of its own; together one incident */
  readonly attack: readonly string[];
  readonly inContainer?: boolean;
  /** in the order in which they came */
  readonly stages: readonly string[];
  /** of its alerts, each once for each process */
  readonly rules: readonly string[];
  readonly severity: string;
  readonly story: readonly RegExp[];
  /** why alerts belong */
  readonly why: readonly RegExp[];
}

const EXPECTED: Readonly<Record<string, Expected>> = {
  'web shell': {
    attack: ['web-shell'],
    inContainer: true,
    stages: [
      'initial-access',
      'discovery',
      'command-and-control',
      'privilege-escalation',
      'credential-access',
      'persistence',
    ],
    rules: [
      'Web server started a shell',
      'Looked around',
      'Web server started a shell',
      'Written file executed',
      'Became root by a file',
      'Hashes read',
      'Cron job written',
    ],
    severity: 'critical',
    story: [
      /nobody ran \S+sh \(pid \d+\) as "sh -c id; .*" in container test-1: Web server started a shell \(initial access, T1190\)/,
      /ran \/tmp\/\.x \(pid \d+\) as ".*", which \S+ \(pid \d+\) had written \S+ m?s before/,
      /\/opt\/helper \(pid \d+\) opened \/etc\/shadow for reading in container test-1: Hashes read \(credential access, T1003\.008\)/,
      /opened \/etc\/cron\.d\/update for writing/,
    ],
    why: [
      /^opened this incident$/,
      /^started by \/opt\/httpd \(pid \d+\)/,
      /^same process as in "Written file executed"$/,
    ],
  },
  'container escape': {
    attack: ['container-escape'],
    inContainer: true,
    stages: ['privilege-escalation', 'credential-access'],
    rules: ['Host seen from a container', 'Release agent written', 'Hashes read'],
    severity: 'error',
    story: [/opened \/tmp\/disk\/release_agent for writing in container test-1/],
    why: [
      /^opened this incident$/,
      /also started \S*mount \(pid \d+\), where "Host seen from a container" was raised$/,
    ],
  },
  'supply chain': {
    attack: ['supply-chain'],
    stages: ['initial-access', 'credential-access', 'command-and-control', 'persistence'],
    rules: [
      'Package script started a shell',
      'Private key read',
      'Package script started a shell',
      'Written file executed',
      'Authorized key written',
    ],
    severity: 'critical',
    story: [/opened \/root\/\.ssh\/authorized_keys for writing/],
    why: [/^same process as in "Package script started a shell"$/],
  },
  miner: {
    attack: ['miner'],
    stages: ['command-and-control', 'impact', 'persistence'],
    rules: ['Written file executed', 'Miner started', 'Cron job written'],
    severity: 'critical',
    story: [/stratum\+tcp:\/\/pool\.example:3333/],
    why: [/^same process as in/, /also started \/tmp\/kworker \(pid \d+\)/],
  },
  'another miner at the same time': {
    attack: ['miner'],
    stages: ['command-and-control', 'impact', 'persistence'],
    rules: ['Written file executed', 'Miner started', 'Cron job written'],
    severity: 'critical',
    story: [/stratum\+tcp/],
    why: [/^opened this incident$/],
  },
  'reverse shell': {
    attack: ['reverse-shell'],
    stages: ['execution', 'discovery', 'credential-access', 'collection', 'exfiltration'],
    rules: ['Remote shell', 'Looked around', 'Private key read', 'Archive made', 'Private key read', 'Sent away'],
    severity: 'critical',
    story: [/ran \/opt\/exfil \(pid \d+\)/],
    why: [/^started by \S*sh \(pid \d+\), which raised "Remote shell"$/],
  },
  'fileless loader': {
    attack: ['fileless'],
    stages: ['stealth', 'discovery', 'credential-access'],
    rules: ['Run from memory', 'Looked around', 'Hashes read', 'Log cleared'],
    severity: 'critical',
    story: [/memfd:update/],
    why: [/^same process as in "Run from memory"$/],
  },
  'preload rootkit': {
    attack: ['preload-rootkit'],
    stages: ['command-and-control', 'persistence', 'stealth'],
    rules: ['Written file executed', 'Preload library configured', 'Log cleared'],
    severity: 'critical',
    story: [/opened \/etc\/ld\.so\.preload for writing/, /opened \/var\/log\/auth\.log for writing/],
    why: [/^same process as in "Written file executed"$/],
  },
  'a file that one wrote and another ran': {
    attack: ['planted-file', 'planted-file-runs'],
    stages: ['credential-access', 'command-and-control'],
    rules: ['Private key read', 'Written file executed'],
    severity: 'warning',
    story: [/ran \/srv\/job/],
    why: [/^\S+ \(pid \d+\) wrote \/srv\/job, which \S+bash \(pid \d+\) executed \S+ m?s later$/],
  },
  'an implant and who gives it orders': {
    attack: ['implant-listens', 'implant-ordered'],
    stages: ['credential-access', 'persistence'],
    rules: ['Hashes read', 'Cron job written'],
    severity: 'warning',
    story: [/opened \/etc\/cron\.d\/daily for writing/],
    why: [/\/opt\/peer \(pid \d+\) connected to 127\.0\.0\.1 port \d+, where \/opt\/peer \(pid \d+\) listens$/],
  },
  'killed by the responder': {
    attack: ['killed'],
    inContainer: true,
    stages: ['execution'],
    rules: ['Planted program killed'],
    severity: 'critical',
    story: [/ran \/opt\/planted/],
    why: [/^opened this incident$/],
  },
};

/** What scores more than what: more distinct stages, and worse ones. */
const BY_SCORE = ['web shell', 'reverse shell', 'container escape', 'a file that one wrote and another ran'];

describe('attacks that are played on the running kernel, all at once', { skip }, () => {
  let stage: Stage;
  const played = new Map<string, Played[]>();
  const benign: Played[] = [];
  const found = new Map<string, Incident>();

  before(async () => {
    stage = await Stage.open();
    for (const [title, { attack, inContainer }] of Object.entries(EXPECTED)) {
      // The second tree waits until the first has done its part: a script says how long where both have to run.
      const trees = [stage.play(attack[0] as string, inContainer)];
      if (attack[1] === 'planted-file-runs') await trees[0]?.ended;
      if (attack[1] !== undefined) trees.push(stage.play(attack[1], inContainer));
      played.set(title, trees);
    }
    for (const name of ['admin', 'backup-job']) benign.push(stage.play(name));
    await Promise.all([...played.values()].flat().map(({ ended }) => ended));
  });
  after(async () => {
    await stage[Symbol.asyncDispose]();
  });

  for (const [title, expected] of Object.entries(EXPECTED)) {
    test(`${title}: ${titleOf(expected.attack[0] as string)}`, async () => {
      const trees = played.get(title) ?? [];
      const incident = await stage.incidentOf(trees[0] as Played, expected.rules.length);
      found.set(title, incident);
      for (const { pid } of trees)
        assert.ok(
          incident.processes.some((one) => one.pid === pid),
          `pid ${pid} is not in it`,
        );
      assert.deepEqual(
        incident.stages.map(({ tactic }) => tactic),
        expected.stages,
      );
      assert.deepEqual(incident.alerts.map(({ rule }) => rule).sort(), [...expected.rules].sort());
      assert.equal(incident.severity, expected.severity);
      const story = storyLines(incident).join('\n');
      for (const words of expected.story) assert.match(story, words);
      const reasons = incident.alerts.map(alertReason);
      for (const words of expected.why)
        assert.ok(
          reasons.some((reason) => words.test(reason)),
          `${words} is not among\n${reasons.join('\n')}`,
        );
    });
  }

  test('no two attacks are one incident, and none is two', async () => {
    const ids = [...found.values()].map(({ id }) => id);
    assert.deepEqual([new Set(ids).size, ids.length], [Object.keys(EXPECTED).length, Object.keys(EXPECTED).length]);
  });

  test('what an administrator does is no incident, though rules have something to say about it', async () => {
    for (const one of benign) assert.deepEqual(await stage.incidentsOf(one), []);
    const alerts = await Array.fromAsync(stage.app.audit?.alerts({ limit: 1000 }) ?? []);
    const pids = new Set(benign.map(({ pid }) => pid));
    const theirs = alerts.filter(({ lineage }) => lineage.some(({ pid }) => pids.has(pid)));
    assert.deepEqual([...new Set(theirs.map(({ rule }) => rule))].sort(), [
      'Archive made',
      'Cron job written',
      'Logged in elsewhere',
      'Looked around',
    ]);
  });

  test('more stages, and worse ones, score more', () => {
    const scores = BY_SCORE.map((title) => found.get(title)?.score ?? 0);
    assert.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
      BY_SCORE.map((title, i) => `${title}: ${scores[i]}`).join(', '),
    );
  });

  test('what the responder killed is contained, and says by whom', async () => {
    const [tree] = played.get('killed by the responder') ?? [];
    const incident = await until('the incident to be contained', async () => {
      const [one] = await stage.incidentsOf(tree as Played);
      return one?.status === 'contained' && one;
    });
    const [change] = incident.history;
    assert.equal(change?.by, 'responder');
    assert.match(change?.note ?? '', /^kill \/opt\/planted \(pid \d+\), policy scenarios$/);
  });

  test('what somebody says of an incident is in it, and in the trail; and what would have silenced it can be told', async () => {
    const id = found.get('miner')?.id ?? '';
    assert.equal(await stage.ringfence('incident', 'set', id, '--state', 'triaged'), `${id} is triaged\n`);
    const closing = ['--state', 'closed', '--verdict', 'false-positive', '--note', 'a benchmark of ours'];
    assert.match(
      await stage.ringfence('incident', 'set', id, ...closing),
      new RegExp(`^${id} is closed, false positive\n`),
    );
    const shown = await stage.ringfence('incident', 'show', id);
    assert.match(shown, / · open, closed, false positive · /);
    assert.match(shown, / triaged by ann\n.* closed, false positive by ann: a benchmark of ours\n/);
    assert.match(
      await stage.ringfence('incident', 'exception', id),
      /- macro: expected_miner_started_\w+\n {2}condition: >-\n {4}\(process\.executable = "\/tmp\/kworker" and process\.parent\.executable = ".*bash" and not container\.id exists\)/,
    );
  });
});
