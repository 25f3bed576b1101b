import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { InRecord } from '@ringfence/bus';
import {
  createTestAlert,
  createTestIncident,
  createTestLineage,
  EVIDENCE_HOST,
  EVIDENCE_WALL_OFFSET,
  evidenceEntity,
} from '@ringfence/synthetic';
import { releasedRecord } from '@ringfence/testkit';
import { decode, type Incident, TOPIC, verifyRecord } from '@ringfence/wire';
import { PolicySet } from '../src/index.ts';
import type { Policy } from '../src/policy/policy.ts';
import { alertRecord, createTestPartition, incidentRecord, killAlert, record, SECOND } from './support.ts';

suite('a kill that a rule asks for', () => {
  test('is only observed where no policy enforces', () => {
    const { decide, metrics } = createTestPartition();
    const { commands, results } = decide(alertRecord(killAlert(1, { cgroupPath: '/system.slice' }), 0));
    assert.deepEqual(
      commands.map(({ mode, policy }) => ({ mode, policy })),
      [{ mode: 'observe', policy: 'rule-action' }],
    );
    assert.deepEqual(
      results.map(({ outcome, id }) => ({ outcome, id })),
      [{ outcome: 'observed', id: commands[0]?.id }],
    );
    assert.deepEqual(metrics.snapshot(null).commands, { observe: 1, enforce: 0 });
  });

  test('is ordered in the scope of a policy that enforces, for the process of the alert, signed, with an expiry', () => {
    const { handle, key } = createTestPartition();
    const alert = killAlert(1);
    const { outputs } = handle([alertRecord(alert, 0)]);
    assert.deepEqual(
      outputs.map(({ topic }) => topic),
      [TOPIC.commands],
    );
    const bytes = outputs[0]?.value as Uint8Array;
    const command = decode('Command', bytes);
    assert.deepEqual(
      {
        mode: command.mode,
        cause: command.cause,
        entityId: command.entityId,
        pid: command.pid,
        policy: command.policy,
        start: Buffer.from(command.start).toString('hex'),
        keyId: command.keyId,
        lasts: command.expiresAt - command.issuedAt,
      },
      {
        mode: 'enforce',
        cause: alert.id,
        entityId: evidenceEntity(101),
        pid: 101,
        policy: 'demo',
        start: Buffer.from(createTestLineage(101).start).toString('hex'),
        keyId: key.keyId,
        lasts: 30 * SECOND,
      },
    );
    assert.ok(verifyRecord(key.publicKey, bytes));
    const forged = Buffer.from(bytes);
    forged[40] = (forged[40] as number) ^ 1;
    assert.ok(!verifyRecord(key.publicKey, forged));
  });

  test('is not ordered for an alert without a process, or of a rule without a kill', () => {
    const { decide } = createTestPartition();
    const { commands } = decide(
      alertRecord(killAlert(1, { lineage: [] }), 0),
      alertRecord(killAlert(2, { action: 'alert' }), 1),
    );
    assert.deepEqual(commands, []);
  });

  test('is ordered once when its alert is delivered again', () => {
    const { decide } = createTestPartition();
    const records = [0, 1, 2].map((i) => alertRecord(killAlert(i), i));
    assert.equal(decide(...records).commands.length, 3);
    assert.deepEqual(decide(...records), { commands: [], results: [] });
  });

  test('does not depend on how alerts are divided into batches', () => {
    const records = [0, 1, 2, 3].map((i) => alertRecord(killAlert(i % 2), i));
    const key = createTestPartition().key;
    const single = createTestPartition({ key });
    const batched = createTestPartition({ key });
    assert.deepEqual(
      records.flatMap((entry) => single.handle([entry]).outputs),
      batched.handle(records).outputs,
    );
  });

  test('is ordered once for a process of several alerts, and again after the first command has expired', () => {
    const { decide, metrics } = createTestPartition();
    const lineage = [createTestLineage(100)];
    const { commands, results } = decide(
      alertRecord(killAlert(1, { lineage }), 0),
      alertRecord(killAlert(2, { lineage }, 10), 1),
      alertRecord(killAlert(3, { lineage }, 31), 2),
    );
    assert.deepEqual(
      commands.map(({ issuedAt }) => (issuedAt - EVIDENCE_WALL_OFFSET) / SECOND),
      [0, 31],
    );
    assert.deepEqual(results, []);
    assert.equal(metrics.snapshot(null).underWay, 1);
  });

  test('is refused when the alert is too old', () => {
    const { decide, metrics } = createTestPartition({ now: (time) => time + 301 * SECOND });
    const { commands, results } = decide(alertRecord(killAlert(1), 0));
    assert.deepEqual(
      commands.map(({ mode }) => mode),
      ['observe'],
    );
    assert.match(commands[0]?.reason ?? '', /^refused \(stale\): rule/);
    assert.deepEqual(
      results.map(({ outcome, reason }) => [outcome, reason]),
      [['refused', 'stale']],
    );
    assert.equal(metrics.snapshot(null).refusals.stale, 1);
  });
});

suite('a policy for incidents', () => {
  const policy: Policy = {
    policy: 'chains',
    desc: '',
    mode: 'enforce',
    scope: { cgroup: '/ringfence-demo-*' },
    when: { incident: { severity: 'critical', stages: 2 }, rules: ['Reverse shell'] },
    do: 'kill',
    reach: 'tree',
  };
  const stages = ['execution', 'persistence'].map((tactic) => ({ tactic, techniques: [], firstSeen: 0 }));
  const shell = killAlert(1, { action: 'alert', rule: 'Reverse shell' });
  const cron = killAlert(2, { action: 'alert', rule: 'Cron written' });
  const incident: Incident = { ...createTestIncident([shell, cron], 1), stages };

  test('kills the process of the alert that it selects, without having seen the alert', () => {
    const { commands, results } = createTestPartition({ policies: [policy] }).decide(incidentRecord(incident, 0));
    assert.deepEqual(
      commands.map(({ cause, pid, mode, bootId, start, hostId }) => ({
        ...{ cause, pid, mode, bootId, hostId },
        start: Buffer.from(start).toString('hex'),
      })),
      [
        {
          ...{ cause: incident.id, pid: 101, mode: 'enforce', bootId: shell.bootId, hostId: EVIDENCE_HOST },
          start: Buffer.from(createTestLineage(101).start).toString('hex'),
        },
      ],
    );
    assert.deepEqual(results, []);
  });

  test('kills once, however many versions of the incident are published', () => {
    const { decide } = createTestPartition({ policies: [policy] });
    const versions = [1, 2, 3].map((version) => incidentRecord({ ...incident, version }, version));
    assert.equal(decide(...versions).commands.length, 1);
  });

  test('waits until the incident has enough stages', () => {
    const { decide } = createTestPartition({ policies: [policy] });
    const [first] = stages as [(typeof stages)[0]];
    const early = incidentRecord({ ...incident, stages: [first, first] }, 0);
    assert.deepEqual(decide(early).commands, []);
    assert.equal(decide(incidentRecord({ ...incident, version: 2 }, 1)).commands.length, 1);
  });

  test('kills on each host of the incident', () => {
    const elsewhere = { ...killAlert(3, { rule: 'Reverse shell', hostId: 'another-host' }) };
    const both = { ...createTestIncident([shell, elsewhere], 1), stages, hosts: [EVIDENCE_HOST, 'another-host'] };
    const { outputs } = createTestPartition({ policies: [policy] }).handle([incidentRecord(both, 0)]);
    assert.deepEqual(
      outputs.map(({ topic, key }) => [topic, key]),
      [
        [TOPIC.commands, EVIDENCE_HOST],
        [TOPIC.commands, 'another-host'],
      ],
    );
  });

  test('kills nothing for an incident that a detector of 0.1.0 wrote, and counts the refusal', () => {
    const unscoped = { ...policy, scope: {}, when: { incident: {} } };
    const { decide, metrics, warnings } = createTestPartition({ policies: [unscoped] });
    const released = record(TOPIC.incidents, 0, releasedRecord('incident'));
    assert.deepEqual(decide(released), { commands: [], results: [] });
    assert.equal(metrics.snapshot(null).refusals['no-target'], 1);
    assert.match(warnings.join('\n'), /alerts without a target.*upgrade the detectors$/);
  });

  test('ignores an incident that is not open', () => {
    const { decide } = createTestPartition({ policies: [policy] });
    assert.deepEqual(decide(incidentRecord({ ...incident, state: 'closed' }, 0)).commands, []);
  });
});

suite('invalid data', () => {
  test('that is not an alert is poison', () => {
    const { handle } = createTestPartition();
    const bad: InRecord = { ...alertRecord(killAlert(1), 0), value: Buffer.from('no alert') };
    assert.throws(() => handle([bad]), { fate: 'poison' });
  });

  test('without an incident policy leaves incidents alone', () => {
    assert.equal(new PolicySet([], 'observe').watchesIncidents, false);
    const { decide } = createTestPartition();
    assert.deepEqual(decide(incidentRecord(createTestIncident([createTestAlert(1)], 1), 0)).commands, []);
  });
});
