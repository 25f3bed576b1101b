import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestAlert, createTestIncident } from '@ringfence/synthetic';
import { releasedRecord } from '@ringfence/testkit';
import {
  decode,
  type Incident,
  type IncidentAction,
  type IncidentAlert,
  type IncidentReason,
  kindName,
  layouts,
  ReasonKinds,
} from '@ringfence/wire';
import { alertReason, incidentTitle, joinReason, storyLines, timelineOf } from '../src/index.ts';

const SHELL = { entityId: 'e', pid: 10, executable: '/bin/sh', user: 'root' };
const CURL = { entityId: 'f', pid: 11, executable: '/usr/bin/curl', user: 'root' };
const AT = Date.UTC(2026, 0, 1, 14, 2, 11) * 1000;

const incident: Incident = createTestIncident([createTestAlert(1)], 1);

const alertOf = (values: Partial<IncidentAlert>): IncidentAlert => ({
  ...(incident.alerts[0] as IncidentAlert),
  process: SHELL,
  timestamp: AT,
  lastTimestamp: AT,
  ...values,
});

const actionOf = (kind: string, objects: IncidentAction['objects'] = {}, values: Partial<IncidentAction> = {}) =>
  alertOf({ action: { kind, operation: kind, failed: false, objects, ...values } });

const reasonOf = (kind: IncidentReason['kind'], values: Partial<IncidentReason> = {}): IncidentReason => ({
  ...{ kind, rule: '', process: null, peer: null, distance: 0, objects: {}, mergedChain: '', mergedBy: '' },
  ...values,
});

/** Returns the line of one alert without its rule. */
const lineOf = (alert: IncidentAlert): string =>
  storyLines({ ...incident, alerts: [alert] }).map((line) =>
    line.replace(': Shell in container (execution, T1059.004)', ''),
  )[0] ?? '';

test('a line has the time, the process, the action, its objects and the container', () => {
  const opened = actionOf('open', { 'file.path': '/etc/crontab', 'file.open.write': 'true' });
  assert.equal(lineOf(opened), '14:02:11 /bin/sh (pid 10) opened /etc/crontab for writing');
  assert.equal(
    lineOf({ ...opened, containerId: 'c5'.repeat(32) }),
    '14:02:11 /bin/sh (pid 10) opened /etc/crontab for writing in container c5c5c5c5c5c5',
  );
  const ran = actionOf('exec', {
    'process.command_line': 'sh -c id',
    'process.exec.written_ago': '0.008',
    'process.exec.writer.executable': '/usr/bin/curl',
    'process.exec.writer.pid': '11',
  });
  assert.equal(
    lineOf(ran),
    '14:02:11 root ran /bin/sh (pid 10) as "sh -c id", which /usr/bin/curl (pid 11) had written 8 ms before',
  );
  assert.equal(lineOf({ ...ran, process: null }), '14:02:11 an unknown process acted');
});

test('a failed action is an attempt, and objects that are missing leave no gap', () => {
  const failed = { failed: true, operation: 'ptrace' };
  assert.match(
    lineOf(actionOf('process_access', { 'process.target.pid': '7' }, failed)),
    /tried to ptrace to process 7$/,
  );
  assert.match(
    lineOf(actionOf('sysctl', { 'sysctl.name': 'kernel.x' }, { failed: true })),
    /set kernel\.x, which failed$/,
  );
  assert.match(
    lineOf(actionOf('connect', { 'destination.ip': '10.0.0.1', 'destination.port': '80' })),
    /connected to 10\.0\.0\.1 port 80$/,
  );
  assert.match(lineOf(actionOf('accept')), /accepted a connection$/);
});

/** Has a value for every field. */
const ALL_OBJECTS: Readonly<Record<string, string>> = new Proxy({}, { get: () => '1' });

test('every kind of event has a sentence, with or without objects, and so has an unknown kind', () => {
  for (const { name } of layouts) {
    for (const objects of [{}, ALL_OBJECTS]) {
      const line = lineOf(actionOf(kindName(name), objects));
      assert.match(line, /^14:02:11 \S/, name);
      assert.doesNotMatch(line, /undefined|null|\{|\}/, name);
    }
    assert.doesNotMatch(lineOf(actionOf(kindName(name), ALL_OBJECTS)), /no words for/, name);
  }
  assert.match(lineOf(actionOf('teleport')), /\(pid 10\) acted in a way that this version has no words for$/);
});

test('every kind of reason has a sentence, also without its data', () => {
  for (const kind of ReasonKinds) {
    const text = alertReason(alertOf({ reason: reasonOf(kind) }));
    assert.match(text, /^\S/, kind);
    assert.doesNotMatch(text, /undefined|null|NaN/, kind);
  }
  const cases: readonly [IncidentReason, string][] = [
    [reasonOf('process', { rule: 'Cron changed', process: SHELL }), 'same process as in "Cron changed"'],
    [
      reasonOf('process', { rule: 'Cron changed', process: SHELL, peer: CURL, distance: 1 }),
      'started by /bin/sh (pid 10), which also started /usr/bin/curl (pid 11), where "Cron changed" was raised',
    ],
    [
      reasonOf('process', { rule: 'Cron changed', process: SHELL, distance: 3 }),
      'descends from /bin/sh (pid 10), which raised "Cron changed"',
    ],
    [
      reasonOf('written_file', {
        process: CURL,
        peer: SHELL,
        objects: { 'file.path': '/tmp/x', 'process.exec.written_ago': '3' },
      }),
      '/usr/bin/curl (pid 11) wrote /tmp/x, which /bin/sh (pid 10) executed 3 s later',
    ],
  ];
  for (const [reason, text] of cases) assert.equal(alertReason(alertOf({ reason })), text);
});

test('a merged chain is named with the rule and the reason that merged it, and repetitions are counted', () => {
  const reason = reasonOf('connection', {
    ...{ process: CURL, peer: SHELL, mergedChain: 'inc-1', mergedBy: 'Remote shell' },
    objects: { 'destination.ip': '127.0.0.1', 'destination.port': '80' },
  });
  assert.equal(
    alertReason(alertOf({ reason, count: 3 })),
    'opened inc-1, which turned out to be part of this incident: "Remote shell": /usr/bin/curl (pid 11) connected to ' +
      '127.0.0.1 port 80, where /bin/sh (pid 10) listens; 2 more like it until 14:02:11',
  );
});

test('alerts about one action share a line, and lines of several hosts are in the order of time', () => {
  const opened = actionOf('open', { 'file.path': '/etc/shadow' });
  const hidden = alertOf({ ...opened, id: 'b', rule: 'Hidden', tactics: [], techniques: [], hostId: 'db' });
  const joined = {
    ...{ id: 'inc-2', hostId: 'db', hostname: 'db-1', kind: 'connection', why: '', at: AT + 1 },
    reason: reasonOf('shared_edge', { objects: { 'edge.kind': 'connection', 'edge.detail': 'tcp a → b' } }),
  };
  const hosts = [incident.hostId, 'db'];
  const alerts = [{ ...hidden, timestamp: AT + 2 }, opened, { ...opened, id: 'c', rule: 'Third' }];
  const joint = { ...incident, hostname: 'web-1', hosts, alerts, joined: [joined] };
  assert.deepEqual(
    timelineOf(joint).map(({ time, alerts, repeats }) => [(time ?? 0) - AT, alerts.map(({ id }) => id), repeats]),
    [
      [0, [opened.id, 'c'], null],
      [1, [], null],
      [2, ['b'], null],
    ],
  );
  assert.deepEqual(
    storyLines(joint).map((line) => line.replace(/^\d\d:\d\d:\d\d /, '')),
    [
      'on web-1: /bin/sh (pid 10) opened /etc/shadow for reading: Shell in container (execution, T1059.004); ' +
        'Third (execution, T1059.004)',
      'the connection tcp a → b was seen from both ends',
      'on db-1: /bin/sh (pid 10) opened /etc/shadow for reading: Hidden',
    ],
  );
});

test('repetitions of an action are counted in its step', () => {
  const repeated = alertOf({ ...actionOf('open', { 'file.path': '/x' }), count: 4, lastTimestamp: AT + 3e6 });
  const [step] = timelineOf({ ...incident, alerts: [repeated] });
  assert.deepEqual(step?.repeats, { count: 3, until: AT + 3e6 });
  assert.match(storyLines({ ...incident, alerts: [repeated] }).join(), /; 3 more like it until \d\d:\d\d:\d\d$/);
});

test('a title names the lead, the other tactics, the container and the number of hosts', () => {
  const stages = ['execution', 'persistence', 'credential-access', 'impact', 'discovery', 'collection'].map(
    (tactic) => ({
      ...{ tactic, techniques: [], firstSeen: 1 },
    }),
  );
  assert.equal(incidentTitle(incident), 'Version 1 of a shell by /bin/sh');
  assert.equal(
    incidentTitle({ ...incident, stages, hosts: ['a', 'b'] }),
    'Version 1 of a shell, persistence, credential access, impact and 2 more by /bin/sh, on 2 hosts',
  );
});

test('an incident and a join of 0.1.0 are shown with the sentences that they hold', () => {
  const old = decode('Incident', releasedRecord('incident'));
  assert.equal(incidentTitle(old), 'Cron changed and command and control by /bin/bash, on 2 hosts');
  assert.deepEqual(storyLines(old), old.story);
  assert.equal(old.story.length, 3);
  assert.deepEqual(
    old.alerts.map(alertReason),
    old.alerts.map(({ why }) => why),
  );
  assert.match(old.joined.map(joinReason)[0] ?? '', /^the connection tcp .* was seen from both ends$/);
  const { chain, ...join } = decode('Join', releasedRecord('join'));
  assert.equal(joinReason(join), join.why);
  assert.deepEqual(chain === null ? [] : storyLines(chain), chain?.story);
});
