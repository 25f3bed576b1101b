/** Scripts run complete attacks concurrently on this kernel, and one pipeline must keep them apart. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { alertReason, storyLines } from '@ringfence/incident-text';
import type { Incident } from '@ringfence/wire';
import { skip } from '../e2e/lib/root.ts';
import { until } from '../e2e/lib/wait.ts';
import { type Played, Stage, titleOf } from './lib/stage.ts';

interface Expected {
  /** Scripts of attacks/. Each has a separate process tree; together they are one incident. */
  readonly attack: readonly string[];
  readonly inContainer?: boolean;
  /** Stages in the order of their first alert. */
  readonly stages: readonly string[];
  /** Rules of its alerts, once for each process. */
  readonly rules: readonly string[];
  readonly severity: string;
  readonly story: readonly RegExp[];
  /** Reasons why alerts belong to the incident. */
  readonly reasons: readonly RegExp[];
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
    reasons: [
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
    reasons: [
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
    reasons: [/^same process as in "Package script started a shell"$/],
  },
  miner: {
    attack: ['miner'],
    stages: ['command-and-control', 'impact', 'persistence'],
    rules: ['Written file executed', 'Miner started', 'Cron job written'],
    severity: 'critical',
    story: [/stratum\+tcp:\/\/pool\.example:3333/],
    reasons: [/^same process as in/, /also started \/tmp\/kworker \(pid \d+\)/],
  },
  'second miner at the same time': {
    attack: ['miner'],
    stages: ['command-and-control', 'impact', 'persistence'],
    rules: ['Written file executed', 'Miner started', 'Cron job written'],
    severity: 'critical',
    story: [/stratum\+tcp/],
    reasons: [/^opened this incident$/],
  },
  'reverse shell': {
    attack: ['reverse-shell'],
    stages: ['execution', 'discovery', 'credential-access', 'collection', 'exfiltration'],
    rules: ['Remote shell', 'Looked around', 'Private key read', 'Archive made', 'Private key read', 'Sent away'],
    severity: 'critical',
    story: [/ran \/opt\/exfil \(pid \d+\)/],
    reasons: [/^started by \S*sh \(pid \d+\), which raised "Remote shell"$/],
  },
  'fileless loader': {
    attack: ['fileless'],
    stages: ['stealth', 'discovery', 'credential-access'],
    rules: ['Run from memory', 'Looked around', 'Hashes read', 'Log cleared'],
    severity: 'critical',
    story: [/memfd:update/],
    reasons: [/^same process as in "Run from memory"$/],
  },
  'preload rootkit': {
    attack: ['preload-rootkit'],
    stages: ['command-and-control', 'persistence', 'stealth'],
    rules: ['Written file executed', 'Preload library configured', 'Log cleared'],
    severity: 'critical',
    story: [/opened \/etc\/ld\.so\.preload for writing/, /opened \/var\/log\/auth\.log for writing/],
    reasons: [/^same process as in "Written file executed"$/],
  },
  'a file that one wrote and another ran': {
    attack: ['planted-file', 'planted-file-runs'],
    stages: ['credential-access', 'command-and-control'],
    rules: ['Private key read', 'Written file executed'],
    severity: 'warning',
    story: [/ran \/srv\/job/],
    reasons: [/^\S+ \(pid \d+\) wrote \/srv\/job, which \S+bash \(pid \d+\) executed \S+ m?s later$/],
  },
  'an implant and its controller': {
    attack: ['implant-listens', 'implant-ordered'],
    stages: ['credential-access', 'persistence'],
    rules: ['Hashes read', 'Cron job written'],
    severity: 'warning',
    story: [/opened \/etc\/cron\.d\/daily for writing/],
    reasons: [/\/opt\/peer \(pid \d+\) connected to 127\.0\.0\.1 port \d+, where \/opt\/peer \(pid \d+\) listens$/],
  },
  'killed by the responder': {
    attack: ['killed'],
    inContainer: true,
    stages: ['execution'],
    rules: ['Planted program killed'],
    severity: 'critical',
    story: [/ran \/opt\/planted/],
    reasons: [/^opened this incident$/],
  },
};

/** Attacks by descending score: more distinct stages and more severe stages score higher. */
const BY_SCORE = ['web shell', 'reverse shell', 'container escape', 'a file that one wrote and another ran'];

describe('concurrent attacks on the running kernel', { skip }, () => {
  let stage: Stage;
  const played = new Map<string, Played[]>();
  const benign: Played[] = [];
  const found = new Map<string, Incident>();

  before(async () => {
    stage = await Stage.open();
    for (const [title, { attack, inContainer }] of Object.entries(EXPECTED)) {
      // The second tree starts after the first has ended. If both must run, the script of the second sleeps.
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
          incident.processes.some((process) => process.pid === pid),
          `pid ${pid} is not in the incident`,
        );
      assert.deepEqual(
        incident.stages.map(({ tactic }) => tactic),
        expected.stages,
      );
      assert.deepEqual(incident.alerts.map(({ rule }) => rule).sort(), [...expected.rules].sort());
      assert.equal(incident.severity, expected.severity);
      const story = storyLines(incident).join('\n');
      for (const pattern of expected.story) assert.match(story, pattern);
      const reasons = incident.alerts.map(alertReason);
      for (const pattern of expected.reasons)
        assert.ok(
          reasons.some((reason) => pattern.test(reason)),
          `${pattern} is not among\n${reasons.join('\n')}`,
        );
    });
  }

  test('each attack is one incident', async () => {
    const ids = [...found.values()].map(({ id }) => id);
    assert.deepEqual([new Set(ids).size, ids.length], [Object.keys(EXPECTED).length, Object.keys(EXPECTED).length]);
  });

  test('the work of an administrator raises alerts but no incident', async () => {
    for (const session of benign) assert.deepEqual(await stage.incidentsOf(session), []);
    const alerts = await Array.fromAsync(stage.app.audit?.alerts({ limit: 1000 }) ?? []);
    const pids = new Set(benign.map(({ pid }) => pid));
    const benignAlerts = alerts.filter(({ lineage }) => lineage.some(({ pid }) => pids.has(pid)));
    assert.deepEqual([...new Set(benignAlerts.map(({ rule }) => rule))].sort(), [
      'Archive made',
      'Cron job written',
      'Logged in elsewhere',
      'Looked around',
    ]);
  });

  test('more stages and more severe stages score higher', () => {
    const scores = BY_SCORE.map((title) => found.get(title)?.score ?? 0);
    assert.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
      BY_SCORE.map((title, i) => `${title}: ${scores[i]}`).join(', '),
    );
  });

  test('an incident whose process was killed is contained, and its history names the responder', async () => {
    const [tree] = played.get('killed by the responder') ?? [];
    const incident = await until('the incident to be contained', async () => {
      const [current] = await stage.incidentsOf(tree as Played);
      return current?.status === 'contained' && current;
    });
    const [change] = incident.history;
    assert.equal(change?.by, 'responder');
    assert.match(change?.note ?? '', /^kill \/opt\/planted \(pid \d+\), policy scenarios$/);
  });

  test('feedback is stored in the incident and the audit trail, and an exception that would suppress it can be generated', async () => {
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
      /# it matches [1-9]\d* of [1-9]\d* stored alerts? of this rule .* and [1-9]\d* stored events? of any kind\n- macro: expected_miner_started_\w+\n {2}condition: >-\n {4}\(host\.id = ".+" and process\.executable = "\/tmp\/kworker" and process\.parent\.executable = ".*bash" and process\.command_line = ".*" and .*not container\.id exists\)/,
    );
  });
});
