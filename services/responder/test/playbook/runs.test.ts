import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { type Bus, openEmbeddedBus, partitionOf } from '@ringfence/bus';
import { createTestIncident, EVIDENCE_HOST } from '@ringfence/synthetic';
import {
  type Command,
  createSigningKey,
  decode,
  encode,
  encodeSigned,
  type SigningKey,
  TOPIC,
  topicsWith,
} from '@ringfence/wire';
import { loadPolicies, type Playbook, type Responder } from '../../src/index.ts';
import { runId } from '../../src/playbook/ids.ts';
import { startTestResponder, tempDir } from '../support.ts';
import { all, firstResults, startVictim, type Victim } from '../victim.ts';
import { alertOf, playbookOf, SteppingAgent } from './support.ts';

const now = (): number => Date.now() * 1000;

interface Running extends AsyncDisposable {
  readonly bus: Bus;
  readonly agent: SteppingAgent;
  readonly responder: Responder;
  readonly target: Victim;
  readonly key: SigningKey;
  readonly commands: () => Promise<Command[]>;
  readonly alert: (overrides?: Parameters<typeof alertOf>[2]) => Promise<void>;
}

/** Starts a responder with these playbooks, an agent that refuses some acts, and a process of its own. */
async function start(playbooks: readonly Playbook[], refused: readonly string[] = []): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(tempDir());
  const target = stack.use(startVictim());
  const bus = stack.use(await openEmbeddedBus({ path: ':memory:' }));
  await bus.ensureTopics(topicsWith(8));
  const key = createSigningKey();
  const agent = new SteppingAgent(key, dir.path, target.pid, refused);
  const overrides = { policies: [], playbooks, now };
  const responder = stack.use(await startTestResponder({ bus, key, control: agent, overrides }));
  const resources = stack.move();
  return {
    ...{ bus, agent, responder, target, key },
    commands: () => all(bus, TOPIC.commands, (value) => decode('Command', value)),
    alert: async (more = {}) => {
      const value = encode('Alert', alertOf(target.pid, now(), more));
      await bus.produce([{ topic: TOPIC.alerts, key: EVIDENCE_HOST, value }]);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const signal = AbortSignal.timeout(15_000);
  while (!holds()) {
    if (signal.aborted) throw new Error(`this did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const stateOf = ({ pid }: Victim): string => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';

suite('a run of a playbook', () => {
  test('collects, stops, waits and kills, one step after the other', async () => {
    const steps = '  - { do: collect, parameters: { what: process } }\n  - do: suspend\n  - { wait: 1s, do: kill }\n';
    await using running = await start([playbookOf(steps)]);
    await running.alert();
    await until('the process is dead', () => running.target.child.signalCode === 'SIGKILL');
    await firstResults(running.bus, 3);
    assert.deepEqual(running.agent.done(), ['collect', 'suspend', 'kill']);
    const commands = await running.commands();
    assert.deepEqual(
      commands.map(({ act, reach, parameters }) => [act, reach, parameters]),
      [
        ['collect', 'process', { what: 'process' }],
        ['suspend', 'tree', {}],
        ['kill', 'tree', {}],
      ],
    );
    assert.ok((commands[2]?.issuedAt ?? 0) - (commands[1]?.issuedAt ?? 0) >= 1_000_000);
    await until('the run is over', () => running.responder.stats().runs.completed === 1);
    assert.equal(running.responder.stats().steps['executed'], 3);
  });

  test('takes back what it did when a later step is refused', async () => {
    const steps = '  - do: suspend\n  - { do: kill, on_failure: undo }\n';
    await using running = await start([playbookOf(steps)], ['kill']);
    await running.alert();
    await until('the run is over', () => running.responder.stats().runs.undone === 1);
    assert.deepEqual(running.agent.done(), ['suspend', 'undo']);
    assert.equal(running.target.child.signalCode, null);
    await until('the process goes on', () => stateOf(running.target) === 'S');
    const [suspend, , undo] = await running.commands();
    assert.deepEqual(undo?.parameters, { command: suspend?.id });
    assert.equal(undo?.cause, suspend?.cause);
  });

  test('stops at a failure, goes on with continue, and skips what its condition excludes', async () => {
    const steps =
      '  - { do: suspend, on_failure: continue }\n  - { if: suspend.outcome = executed, do: kill }\n' +
      '  - { if: suspend.outcome = refused, do: collect, name: look, parameters: { what: process } }\n  - { do: lock, parameters: { name: eve } }\n  - { do: kill, name: last }\n';
    await using running = await start([playbookOf(steps)], ['suspend', 'lock']);
    await running.alert();
    await until('the run is over', () => running.responder.stats().runs.stopped === 1);
    assert.deepEqual(running.agent.done(), ['collect']);
    const { steps: outcomes } = running.responder.stats();
    assert.deepEqual([outcomes['refused'], outcomes['skipped'], outcomes['executed']], [2, 1, 1]);
  });

  test('happens once for an incident, and once for each process with per: process', async () => {
    const steps = '  - { do: collect, parameters: { what: process } }\n';
    await using running = await start([
      playbookOf(steps),
      { ...playbookOf(steps, 'per: process\n'), playbook: 'each' },
    ]);
    for (let i = 0; i < 3; i++) await running.alert({ id: `${i}`.repeat(32) });
    await running.alert({ id: 'f'.repeat(32), lineage: alertOf(running.target.pid + 1, 0).lineage });
    await until('the runs are over', () => running.responder.stats().runs.stopped === 1);
    await until('the runs are over', () => running.responder.stats().runs.completed === 2);
    assert.equal((await running.commands()).length, 3);
  });

  test('of an incident runs on the host of the process, in another partition', async () => {
    const text = '  - do: kill\n';
    const playbook = {
      ...playbookOf(text),
      scope: { host: EVIDENCE_HOST },
      when: { incident: { severity: 'critical' } },
    } as const;
    await using running = await start([playbook]);
    const incident = createTestIncident([alertOf(running.target.pid, now())], 1);
    assert.notEqual(partitionOf(incident.id, 8), partitionOf(EVIDENCE_HOST, 8));
    const record = { topic: TOPIC.incidents, key: incident.id, value: encode('Incident', incident) };
    await running.bus.produce([record, record]);
    await until('the process is dead', () => running.target.child.signalCode === 'SIGKILL');
    await firstResults(running.bus, 1);
    const commands = await running.commands();
    assert.deepEqual(
      commands.map(({ cause }) => cause),
      [incident.id],
    );
  });

  test('that observes records all its steps, and does none', async () => {
    const steps = '  - do: suspend\n  - { if: suspend.outcome = executed, do: kill, approve: 2 }\n';
    await using running = await start([{ ...playbookOf(steps), mode: 'observe' }]);
    await running.alert();
    const results = await firstResults(running.bus, 2);
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['observed', 'observed'],
    );
    assert.deepEqual(running.agent.done(), []);
    assert.equal(stateOf(running.target), 'S');
  });

  test('of an alert from a backlog only observes', async () => {
    await using running = await start([playbookOf('  - do: kill\n')]);
    await running.alert({ timestamp: now() - 600_000_000 });
    const [result] = await firstResults(running.bus, 1);
    assert.equal(result?.outcome, 'observed');
    assert.equal(running.responder.stats().refusals.stale, 1);
  });

  test('waits at an approval, and ends without one at its deadline', async () => {
    const steps = '  - do: suspend\n  - { do: kill, approve: 1, within: 1s, on_failure: undo }\n';
    await using running = await start([playbookOf(steps)]);
    await running.alert();
    await until('the run is over', () => running.responder.stats().runs.undone === 1);
    assert.deepEqual(running.agent.done(), ['suspend', 'undo']);
    assert.equal(running.responder.stats().steps['unapproved'], 1);
  });

  test('goes on when two operators have approved, and the order has both approvals', async () => {
    await using running = await start([playbookOf('  - { do: kill, approve: 2 }\n')]);
    await running.alert();
    await until('the run waits', () => running.responder.stats().runs.begun === 1);
    const id = runId('p', 'inc-1', '');
    const approve = async (...keyIds: string[]): Promise<void> => {
      const approvals = keyIds.map((keyId) => ({ keyId, signature: Buffer.alloc(64) }));
      const signal = { id, hostId: EVIDENCE_HOST, step: 0, at: now(), begun: null, approvals };
      const value = encodeSigned('RunSignal', signal, running.key);
      await running.bus.produce([{ topic: TOPIC.runs, key: EVIDENCE_HOST, value }]);
    };
    await approve('1'.repeat(16), '1'.repeat(16));
    await approve('1'.repeat(16), '2'.repeat(16));
    await until('the process is dead', () => running.target.child.signalCode === 'SIGKILL');
    await firstResults(running.bus, 1);
    const [kill, ...others] = await running.commands();
    assert.deepEqual(others, []);
    assert.equal(kill?.approvals.length, 2);
  });

  test('uses a value of the alert whole, and fails without it', async () => {
    const steps = '  - { do: block, parameters: { address: $destination.ip } }\n';
    await using running = await start([playbookOf(steps, 'per: process\n')]);
    await running.alert({ fields: { 'destination.ip': '192.0.2.7', 'file.path': '/x' } });
    await running.alert({ lineage: alertOf(running.target.pid + 1, 0).lineage, id: 'f'.repeat(32), fields: {} });
    await until('the runs are over', () => running.responder.stats().runs.completed === 1);
    await until('the runs are over', () => running.responder.stats().runs.stopped === 1);
    const commands = await running.commands();
    assert.deepEqual(
      commands.map(({ act, reach, pid, entityId, parameters }) => [act, reach, pid, entityId, parameters]),
      [['block', 'host', 0, '', { address: '192.0.2.7' }]],
    );
    assert.equal(running.responder.stats().steps['no-value'], 1);
  });

  test('is not begun, approved or moved on by whoever only writes to the bus', async () => {
    await using running = await start([]);
    const forger = createSigningKey();
    const begun = beginningOf(running.target.pid);
    const signal = { id: 'run-1', hostId: EVIDENCE_HOST, step: -1, at: now(), begun, approvals: [] };
    const value = encodeSigned('RunSignal', signal, forger);
    await running.bus.produce([{ topic: TOPIC.runs, key: EVIDENCE_HOST, value }]);
    const letters = running.bus.read({ topic: TOPIC.dlq, follow: true, signal: AbortSignal.timeout(10_000) });
    for await (const { value: letter } of letters) {
      assert.equal(decode('DeadLetter', letter as Uint8Array).code, 'ERR_RESPONDER_FORGED');
      break;
    }
    assert.deepEqual(await running.commands(), []);
  });

  test('has the name of its playbook in its orders, which no policy can have', () => {
    const text = 'policy: playbook/p\nmode: enforce\nwhen: { priority: debug }\ndo: kill\n';
    const { problems } = loadPolicies([{ name: 'p.yaml', text }]);
    assert.match(problems[0]?.message ?? '', /stands for the orders of playbooks/);
  });
});

function beginningOf(pid: number) {
  const { id: alertId, rule, priority, bootId, lineage } = alertOf(pid, 0);
  const { entityId, start: startedAt, executable } = lineage[0]!;
  return {
    ...{ playbook: 'p', mode: 'enforce' as const, steps: JSON.stringify(playbookOf('  - do: kill\n').steps) },
    ...{ cause: alertId, incident: '', stages: 0, alertId, rule, priority, timestamp: now(), bootId, entityId, pid },
    ...{ start: startedAt, executable, values: {} },
  };
}
