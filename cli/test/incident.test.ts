import assert from 'node:assert/strict';
import test from 'node:test';
import { compileDetectorRules, createDetectorPipeline } from '@ringfence/detector';
import { createEnricherPipeline } from '@ringfence/enricher';
import { consumerRecords, createSyntheticHost, type SyntheticHost } from '@ringfence/synthetic';
import { releasedRecord } from '@ringfence/testkit';
import { type Alert, decode, type Incident, PROCESS_ONLY, TOPIC, U64_ZERO, UNSIGNED } from '@ringfence/wire';
import { conditionFor, type Exception, excludes, proposeExceptions } from '../src/incident/exception.ts';
import { exceptionsText } from '../src/incident/exceptions-view.ts';
import { renderIncident } from '../src/incident/view.ts';
import { assertEscaped, HOSTILE, plain } from './support.ts';

const incident: Incident = {
  id: 'inc-1',
  version: 3,
  state: 'open',
  mergedInto: '',
  hosts: [],
  joined: [],
  status: 'contained',
  verdict: 'undecided',
  history: [{ status: 'contained', verdict: 'undecided', by: 'responder', note: HOSTILE, at: 1e15 }],
  ...UNSIGNED,
  hostId: 'h',
  title: '',
  hostname: '',
  lead: { rule: `Title ${HOSTILE}`, tactics: ['execution'], executable: `/b${HOSTILE}` },
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
      output: HOSTILE,
      why: '',
      techniques: ['T1059'],
      hostId: 'h',
      process: { entityId: 'e2', pid: 2, executable: `/b${HOSTILE}`, user: HOSTILE },
      containerId: '',
      containerName: '',
      action: { kind: 'open', operation: 'open', failed: false, objects: { 'file.path': HOSTILE } },
      reason: {
        ...{ kind: 'same_file', rule: HOSTILE, peer: null, distance: 0, mergedChain: '', mergedBy: HOSTILE },
        process: { entityId: 'e1', pid: 1, executable: HOSTILE, user: '' },
        objects: { 'process.hash.sha256': HOSTILE },
      },
      count: 4,
      lastTimestamp: 1e15 + 2e6,
      target: null,
    },
  ],
  omittedAlerts: 4,
  processes: [
    { entityId: 'e1', parentEntityId: '', pid: 1, executable: '/a', args: 'a', user: 'root', containerId: '' },
    {
      entityId: 'e2',
      parentEntityId: 'e1',
      pid: 2,
      executable: `/b${HOSTILE}`,
      args: HOSTILE,
      user: '',
      containerId: '',
    },
    { entityId: 'e3', parentEntityId: 'e1', pid: 3, executable: '/c', args: '', user: '', containerId: '' },
  ],
  container: null,
  story: [],
};

const file = (values: Partial<Incident> = {}) => ({
  incident: { ...incident, ...values },
  alerts: [],
  commands: [],
  results: [],
});

test('an incident shows its history, timeline and response, with control characters escaped', () => {
  const text = renderIncident(plain, file());
  assertEscaped(text);
  assert.match(text, /contained by responder: a\\x1b/);
  assert.match(
    text,
    /Timeline\n.*opened a\\x1b.*for reading\n +execution {2}Rule\n +and 3 more like it until .*\n +4 more alerts counted, but not listed/,
  );
  assert.match(text, /Response\n +no action was ordered/);
  assert.doesNotMatch(text, /Processes|Evidence|Stages/);
});

test('with evidence, an incident also shows its stages, process tree and alerts by rule', () => {
  const text = renderIncident(plain, file(), true);
  assertEscaped(text);
  assert.match(text, /Stages\n.* execution T1059/);
  assert.match(text, /├─ \/b.*\n.*└─ \/c/);
  assert.match(text, /Evidence\n +Rule\n.*a\\x1b.*\n +runs a file of the same content \(sha256 a\\x1b/);
});

test('processes whose parents form a loop are drawn once', () => {
  const [first, second] = incident.processes;
  assert.ok(first && second);
  assert.doesNotThrow(() =>
    renderIncident(plain, file({ processes: [{ ...first, parentEntityId: 'e1' }, second] }), true),
  );
});

test('an incident of 0.1.0 shows the sentences that it holds', () => {
  const old = decode('Incident', releasedRecord('incident'));
  const text = renderIncident(plain, { incident: old, alerts: [], commands: [], results: [] }, true);
  assert.match(text, /■ Cron changed and command and control by \/bin\/bash, on 2 hosts/);
  assert.match(
    text,
    /Timeline\n(?:.*\n)*? +02:00:01 on web-1: uid 0 ran \/tmp\/x \(pid 105\), which \/usr\/bin\/curl \(pid 104\) had written/,
  );
  assert.match(text, /opened inc-e65f7905b70c4b14, part of this incident: the connection/);
});

test('the response names target, outcome, duration and policy', () => {
  const command = {
    id: 'c1',
    action: 'kill',
    mode: 'enforce',
    cause: 'a1',
    policy: 'demo',
    reason: 'rule asks',
    ordinal: 0,
    ...PROCESS_ONLY,
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
    children: 0,
    facts: {},
    ...UNSIGNED,
  } as const;
  assert.match(
    renderIncident(plain, { incident, alerts: [], commands: [command], results: [result] }),
    /done {2}kill \/b \(pid 2\), 1\.5 ms after the order {2}policy demo: rule asks/,
  );
  assert.match(
    renderIncident(plain, { incident, alerts: [], commands: [command], results: [{ ...result, children: 2 }] }),
    /done {2}kill \/b \(pid 2\), 1\.5 ms after the order, 2 descendants alive {2}policy/,
  );
});

const CONDITION = 'event.action = open and file.path = /etc/shadow';
const rule = (condition: string): string => `
- rule: Hashes "read"
  desc: The password hashes are read
  condition: ${condition}
  priority: critical
`;

/** A host on which a backup in a container and a backup on the host read /etc/shadow. */
function playBackups(): SyntheticHost {
  const host = createSyntheticHost();
  host.container({ cgroup: 7n, id: 'c7', image: 'house/backup:3' });
  const inside = host.exec(host.fork(host.init, { cgroup: 7n }), '/usr/bin/backup');
  host.open(host.spawn(inside, '/usr/bin/tar'), '/etc/shadow');
  host.open(host.spawn(host.spawn(host.init, '/usr/sbin/backup "nightly"'), '/usr/bin/tar'), '/etc/shadow');
  return host;
}

function runRules(text: string, host: SyntheticHost): { alerts: Alert[]; incidents: Incident[] } {
  const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
  const batches = enricher
    .handle(consumerRecords(host.hostId, [host.batch()]))
    .outputs.flatMap(({ value }) => value ?? []);
  const rules = compileDetectorRules([{ name: 'rules.yaml', text }]);
  assert.deepEqual(rules.diagnostics, []);
  const { outputs } = createDetectorPipeline({ rules }).handle(consumerRecords(host.hostId, batches, TOPIC.events));
  const valuesOf = (topic: string) =>
    outputs.flatMap((output) => (output.topic === topic && output.value !== null ? [output.value] : []));
  return {
    alerts: valuesOf(TOPIC.alerts).map((value) => decode('Alert', value)),
    incidents: valuesOf(TOPIC.incidents).map((value) => decode('Incident', value)),
  };
}

const WIDTH = { alerts: 9, excluded: 2, hosts: 3, events: 41 };

function exceptionsFor(incident: Incident, alerts: readonly Alert[]): string {
  const exceptions = proposeExceptions({ incident, alerts, commands: [], results: [] });
  return exceptionsText(
    incident,
    exceptions.map((exception) => ({ exception, width: WIDTH })),
  );
}

test('exceptions of an incident exclude its alerts, and no alert of other processes or images', () => {
  const { alerts, incidents } = runRules(rule(CONDITION), playBackups());
  assert.equal(alerts.length, 2);
  const [incident] = incidents as [Incident];
  const text = exceptionsFor(incident, alerts);
  const name = /- macro: (\S+)/.exec(text)?.[1] ?? '';
  assert.match(text, new RegExp(`prefix its condition with: not ${name} and`));
  const excepted = `${text}\n${rule(`not ${name} and ${CONDITION}`)}`;
  assert.deepEqual(runRules(excepted, playBackups()).alerts, []);
  const unrelated = createSyntheticHost();
  unrelated.open(unrelated.spawn(unrelated.spawn(unrelated.init, '/bin/bash'), '/usr/bin/tar'), '/etc/shadow');
  unrelated.container({ cgroup: 8n, id: 'c8', image: 'house/shop:1' });
  const inside = unrelated.exec(unrelated.fork(unrelated.init, { cgroup: 8n }), '/usr/bin/backup');
  unrelated.open(unrelated.spawn(inside, '/usr/bin/tar'), '/etc/shadow');
  assert.equal(runRules(excepted, unrelated).alerts.length, 2);
});

test('an exception names host, arguments, user and file, and how much it matches of the stored records', () => {
  const { alerts, incidents } = runRules(rule(CONDITION), playBackups());
  const text = exceptionsFor(incidents[0] as Incident, alerts);
  const [exception] = proposeExceptions({ incident: incidents[0] as Incident, alerts, commands: [], results: [] });
  for (const name of ['host.id', 'process.executable', 'process.command_line', 'file.path'])
    for (const condition of exception?.cases ?? []) assert.match(condition, new RegExp(`${name} = "`));
  assert.doesNotMatch(text, /pid = |timestamp = |event\./);
  assert.match(text, /# it matches 2 of 9 stored alerts of this rule \(3 hosts\), and 41 stored events of any kind\n/);
  for (const alert of alerts) assert.equal(excludes(exception as Exception, alert), true);
  for (const changed of [{ hostId: 'another' }, { fields: { 'file.path': '/etc/gshadow' } }])
    assert.equal(excludes(exception as Exception, { ...(alerts[0] as Alert), ...changed }), false);
});

test('an exception that would silence a whole rule is refused', () => {
  const { alerts, incidents } = runRules(rule(CONDITION), playBackups());
  const [incident, alert] = [incidents[0] as Incident, alerts[0] as Alert];
  // A finding of the integrity check: it has no process, and the rule asks for the check.
  const found = { ...alert, lineage: [], container: null, kind: 'integrity' };
  const nameless = { ...found, fields: { 'event.action': 'integrity', 'integrity.check': 'hidden-module' } };
  const named = { ...found, fields: { ...nameless.fields, 'integrity.subject': 'nvidia_peermem' } };
  const refused = exceptionsFor(incident, [nameless]);
  assert.match(refused, /^# "Hashes "?.*: no exception for 1 alert, .* it would silence the whole rule/m);
  assert.doesNotMatch(refused, /- macro:|container\.id exists/);
  const [exception] = proposeExceptions({ incident, alerts: [named, nameless], commands: [], results: [] });
  assert.deepEqual([exception?.cases.length, exception?.refused], [1, 1]);
  assert.match(conditionFor(exception as Exception), /^\(host\.id = ".*" and .*integrity\.subject = "nvidia_peermem"/);
});
