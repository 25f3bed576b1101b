import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Effect, InRecord, OutRecord } from '@ringfence/bus';
import {
  createTestAlert,
  createTestIncident,
  createTestLineage,
  EVIDENCE_WALL_OFFSET,
  evidenceEntity,
} from '@ringfence/synthetic';
import { type Alert, type Command, createSigningKey, decode, type Result, TOPIC, verifyRecord } from '@ringfence/wire';
import { compileResponderOptions, createPipeline, type Policy, type ResponderOptions } from '../src/index.ts';
import { ResponderMetrics } from '../src/metrics.ts';
import type { PipelineDeps } from '../src/pipeline.ts';
import { PolicySet } from '../src/policy/policy-set.ts';
import { Memory } from '../src/steps/memory.ts';
import { alertRecord, ENFORCING as demo, incidentRecord } from './support.ts';

const SECOND = 1_000_000;
const key = createSigningKey();

interface Decided {
  readonly commands: readonly Command[];
  readonly results: readonly Result[];
}

function createTestDecider(policies: readonly Policy[] = [demo], given: ResponderOptions = {}, memory = new Memory()) {
  const options = compileResponderOptions(given);
  const metrics = new ResponderMetrics();
  const set = new PolicySet(policies, options.mode);
  const pipeline = createTestPipeline({ options, key, memory, metrics, now: (time) => time, policies: () => set });
  const decide = (...records: InRecord[]): Decided => decided(records.flatMap((one) => handedOver(pipeline, one)));
  return { memory, metrics, decide, pipeline };
}

function createTestPipeline(deps: Omit<PipelineDeps, 'trusted' | 'responders' | 'opened'>) {
  return createPipeline({ ...deps, trusted: undefined, responders: () => undefined, opened: () => {} });
}

/** What comes of a record, and of the incidents that go on by host. */
function handedOver(pipeline: (records: readonly InRecord[]) => Effect, one: InRecord): OutRecord[] {
  return pipeline([one]).outputs.flatMap((out) => {
    if (out.topic !== TOPIC.hostIncidents || out.value === null) return [out];
    return pipeline([{ ...one, topic: out.topic, key: out.key, value: Buffer.from(out.value) }]).outputs;
  });
}

function decided(outputs: readonly OutRecord[]): Decided {
  const of = (topic: string) =>
    outputs.flatMap((out) => (out.topic === topic && out.value !== null ? [out.value] : []));
  return {
    commands: of(TOPIC.commands).map((value) => decode('Command', value)),
    results: of(TOPIC.results).map((value) => decode('Result', value)),
  };
}

/** An alert about a process of its own, `seconds` after the first. */
function killAlert(sequence: number, overrides: Partial<Alert> = {}, seconds = 0): Alert {
  return createTestAlert(sequence, {
    action: 'kill',
    cgroupPath: '/ringfence-demo-1',
    lineage: [createTestLineage(100 + sequence), createTestLineage(1)],
    timestamp: EVIDENCE_WALL_OFFSET + seconds * SECOND,
    ...overrides,
  });
}

suite('a kill that a rule asks for', () => {
  test('is only observed where no policy enforces', () => {
    const { decide, metrics } = createTestDecider();
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

  test('is ordered inside the scope of a policy that enforces, for the process of the alert, signed, and with an end', () => {
    const { pipeline } = createTestDecider();
    const alert = killAlert(1);
    const effect = pipeline([alertRecord(alert, 0)]);
    const { commands, results } = decided(effect.outputs);
    assert.equal(results.length, 0, 'what is sent gets its result from the agent');
    const [command] = commands as [Command];
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
    const bytes = effect.outputs[0]?.value as Uint8Array;
    assert.ok(verifyRecord(key.publicKey, bytes));
    const forged = Buffer.from(bytes);
    forged[40] = (forged[40] as number) ^ 1;
    assert.ok(!verifyRecord(key.publicKey, forged));
  });

  test('is not ordered for an alert that no process raised, nor for one that asks for none', () => {
    const { decide } = createTestDecider();
    const { commands } = decide(
      alertRecord(killAlert(1, { lineage: [] }), 0),
      alertRecord(killAlert(2, { action: 'alert' }), 1),
    );
    assert.deepEqual(commands, []);
  });

  test('has no second effect when it is delivered again', () => {
    const { decide } = createTestDecider();
    const records = [0, 1, 2].map((i) => alertRecord(killAlert(i), i));
    assert.equal(decide(...records).commands.length, 3);
    assert.deepEqual(decide(...records), { commands: [], results: [] });
  });

  test('has the same effect in one batch and one by one', () => {
    const records = [0, 1, 2, 3].map((i) => alertRecord(killAlert(i % 2), i));
    const { pipeline: alone } = createTestDecider();
    const { pipeline: together } = createTestDecider();
    assert.deepEqual(
      records.flatMap((one) => decided(alone([one]).outputs).commands),
      decided(together(records).outputs).commands,
    );
  });

  test('is ordered once for a process that several alerts name, and again when the first order has run out', () => {
    const { decide, metrics } = createTestDecider();
    const lineage = [createTestLineage(100)];
    const { commands } = decide(
      alertRecord(killAlert(1, { lineage }), 0),
      alertRecord(killAlert(2, { lineage }, 10), 1),
      alertRecord(killAlert(3, { lineage }, 31), 2),
    );
    assert.deepEqual(
      commands.map(({ issuedAt }) => (issuedAt - EVIDENCE_WALL_OFFSET) / SECOND),
      [0, 31],
    );
    assert.equal(metrics.snapshot(null).underWay, 1);
  });

  test('is refused when the alert is history', () => {
    const { memory, metrics } = createTestDecider();
    const options = compileResponderOptions({});
    const set = new PolicySet([demo], 'observe');
    const late = (time: number) => time + 301 * SECOND;
    const pipeline = createTestPipeline({ options, key, memory, metrics, now: late, policies: () => set });
    const { commands, results } = decided(pipeline([alertRecord(killAlert(1), 0)]).outputs);
    assert.deepEqual(
      commands.map(({ mode }) => mode),
      ['observe'],
    );
    assert.deepEqual(
      results.map(({ outcome, reason }) => [outcome, reason]),
      [['refused', 'stale']],
    );
  });
});

suite('the limit of kills', () => {
  test('refuses those beyond it, counts and records them, and gives way a minute later', () => {
    const { decide, metrics } = createTestDecider([demo], { killsPerMinutePerHost: 3 });
    const alerts = [0, 10, 20, 30, 59, 61].map((seconds, i) => alertRecord(killAlert(i, {}, seconds), i));
    const { commands, results } = decide(...alerts);
    assert.deepEqual(
      commands.map(({ mode }) => mode),
      ['enforce', 'enforce', 'enforce', 'observe', 'observe', 'enforce'],
    );
    assert.deepEqual(
      results.map(({ outcome, reason }) => [outcome, reason]),
      [
        ['refused', 'rate-limited'],
        ['refused', 'rate-limited'],
      ],
    );
    assert.match(commands[3]?.reason ?? '', /^refused \(rate-limited\): rule/);
    assert.equal(metrics.snapshot(null).refusals['rate-limited'], 2);
  });

  test('is kept by each host for itself', () => {
    const { decide } = createTestDecider([demo], { killsPerMinutePerHost: 1 });
    const other = killAlert(2, { hostId: 'another-host' });
    const { commands } = decide(alertRecord(killAlert(1), 0), alertRecord(other, 1), alertRecord(killAlert(3), 2));
    assert.deepEqual(
      commands.map(({ mode }) => mode),
      ['enforce', 'enforce', 'observe'],
    );
  });

  test('is not widened by alerts that claim to be old', () => {
    const { decide } = createTestDecider([demo], { killsPerMinutePerHost: 2, maxCauseAgeMs: 1e9 });
    const alerts = [100, 100, 0, 30].map((seconds, i) => alertRecord(killAlert(i, {}, seconds), i));
    assert.deepEqual(
      decide(...alerts).commands.map(({ mode }) => mode),
      ['enforce', 'enforce', 'observe', 'observe'],
    );
  });

  test('and what was ordered survive a restart', async () => {
    const first = createTestDecider([demo], { killsPerMinutePerHost: 2 });
    const before = [alertRecord(killAlert(0), 0), alertRecord(killAlert(1), 1)];
    const { state } = first.pipeline(before);
    const memory = new Memory();
    await memory.restore(async function* (store) {
      for (const { key: name, value, position, store: of } of state)
        if (of === store && value !== null) yield { key: name, value, position };
    }, 0);
    const second = createTestDecider([demo], { killsPerMinutePerHost: 2 }, memory);
    assert.deepEqual(second.decide(...before).commands, []);
    assert.deepEqual(
      second.decide(alertRecord(killAlert(2), 2)).commands.map(({ mode }) => mode),
      ['observe'],
    );
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
  };
  const stages = ['execution', 'persistence'].map((tactic) => ({ tactic, techniques: [], firstSeen: 0 }));
  const shell = killAlert(1, { action: 'alert', rule: 'Reverse shell' });
  const other = killAlert(2, { action: 'alert', rule: 'Cron written' });
  const incident = { ...createTestIncident([shell, other], 1), stages };
  const alerts = [alertRecord(shell, 0), alertRecord(other, 1)];

  test('kills the process of the alert it selects, whichever of alert and incident comes first', () => {
    for (const records of [
      [...alerts, incidentRecord(incident, 0)],
      [incidentRecord(incident, 0), ...alerts],
    ]) {
      const { commands } = createTestDecider([policy]).decide(...records);
      assert.deepEqual(
        commands.map(({ cause, pid, mode }) => ({ cause, pid, mode })),
        [{ cause: incident.id, pid: 101, mode: 'enforce' }],
      );
    }
  });

  test('does it once, however often the incident is published', () => {
    const { decide } = createTestDecider([policy]);
    const versions = [1, 2, 3].map((version) => incidentRecord({ ...incident, version }, version));
    assert.equal(decide(...alerts, ...versions).commands.length, 1);
  });

  test('waits until the incident has the stages it names', () => {
    const { decide } = createTestDecider([policy]);
    const [first] = stages as [(typeof stages)[0]];
    const early = incidentRecord({ ...incident, stages: [first, first] }, 0);
    assert.deepEqual(decide(...alerts, early).commands, []);
    assert.equal(decide(incidentRecord({ ...incident, version: 2 }, 1)).commands.length, 1);
  });
});

suite('robustness to invalid data', () => {
  test('bytes that are no alert are poison', () => {
    const { pipeline } = createTestDecider();
    const bad = { ...alertRecord(killAlert(1), 0), value: Buffer.from('no alert') };
    assert.throws(() => pipeline([bad]), { fate: 'poison' });
  });
});
