import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Bus, openEmbeddedBus, partitionOf } from '@ringfence/bus';
import {
  createTestAlert,
  createTestIncident,
  createTestLineage,
  EVIDENCE_HOST,
  EVIDENCE_WALL_OFFSET,
} from '@ringfence/synthetic';
import { type Command, createSigningKey, decode, encode, PROCESS_ONLY, TOPIC, topicsWith } from '@ringfence/wire';
import { ENFORCING, FOR_INCIDENTS, startTestResponder, TestAgent, tempDir } from './support.ts';
import { all, firstResults, startVictim } from './victim.ts';

async function produceAlert(bus: Bus, pid: number, cgroupPath: string): Promise<void> {
  const alert = createTestAlert(pid, {
    action: 'kill',
    cgroupPath,
    timestamp: EVIDENCE_WALL_OFFSET,
    lineage: [createTestLineage(pid)],
  });
  await bus.produce([{ topic: TOPIC.alerts, key: EVIDENCE_HOST, value: encode('Alert', alert) }]);
}

/** Produces an incident whose partition, of 8, is not that of its host. */
async function produceIncident(bus: Bus, pid: number): Promise<void> {
  const lineage = [createTestLineage(pid)];
  const incident = createTestIncident([createTestAlert(1, { timestamp: EVIDENCE_WALL_OFFSET, lineage })], 1);
  assert.notEqual(partitionOf(incident.id, 8), partitionOf(EVIDENCE_HOST, 8));
  await bus.produce([{ topic: TOPIC.incidents, key: incident.id, value: encode('Incident', incident) }]);
}

suite('the responder', () => {
  test('kills the process of an alert inside the scope of the policy, and observes outside', async () => {
    using dir = tempDir();
    await using inside = startVictim();
    await using outside = startVictim();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const key = createSigningKey();
    const control = new TestAgent(key, dir.path, [inside.pid, outside.pid]);
    await using responder = await startTestResponder({ bus, key, control });
    const died = once(inside.child, 'exit');
    await produceAlert(bus, outside.pid, '/user.slice');
    await produceAlert(bus, inside.pid, '/ringfence-demo-1');
    assert.deepEqual(await died, [null, 'SIGKILL']);
    const results = await firstResults(bus, 2);
    assert.deepEqual(new Set(results.map(({ outcome }) => outcome)), new Set(['observed', 'executed']));
    assert.equal(outside.child.signalCode, null);
    assert.equal(control.executed().length, 1);
    const stats = responder.stats();
    assert.deepEqual(stats.commands, { observe: 1, enforce: 1 });
  });

  test('kills on the host of an incident that has another partition than the host', async () => {
    using dir = tempDir();
    await using target = startVictim();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(8));
    const key = createSigningKey();
    const control = new TestAgent(key, dir.path, [target.pid]);
    await using _ = await startTestResponder({ bus, key, control, overrides: { policies: [FOR_INCIDENTS] } });
    await produceIncident(bus, target.pid);
    if (target.child.signalCode === null) await once(target.child, 'exit');
    const [result] = await firstResults(bus, 1);
    assert.equal(result?.outcome, 'executed');
  });

  test('sends a forged command to the dead letters only', async () => {
    using dir = tempDir();
    await using target = startVictim();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const key = createSigningKey();
    const control = new TestAgent(key, dir.path, [target.pid]);
    await using _ = await startTestResponder({ bus, key, control });
    const forged: Command = {
      id: 'f'.repeat(32),
      action: 'kill',
      mode: 'enforce',
      cause: 'none',
      policy: 'demo',
      reason: '',
      ordinal: 0,
      ...PROCESS_ONLY,
      hostId: EVIDENCE_HOST,
      bootId: '',
      entityId: '',
      pid: target.pid,
      start: Buffer.alloc(8),
      executable: '',
      issuedAt: Date.now() * 1000,
      expiresAt: Date.now() * 1000 + 30_000_000,
      keyId: key.keyId,
      signature: Buffer.alloc(64),
    };
    await bus.produce([{ topic: TOPIC.commands, key: EVIDENCE_HOST, value: encode('Command', forged) }]);
    const letters = bus.read({ topic: TOPIC.dlq, follow: true, signal: AbortSignal.timeout(10_000) });
    for await (const { value } of letters) {
      const letter = decode('DeadLetter', value as Uint8Array);
      assert.deepEqual([letter.code, letter.stage], ['ERR_RESPONDER_FORGED', 'responder']);
      break;
    }
    assert.equal(target.child.signalCode, null);
    assert.deepEqual(await all(bus, TOPIC.results, (value) => decode('Result', value)), []);
  });

  const causes = {
    alert: (bus: Bus, pid: number) => produceAlert(bus, pid, '/ringfence-demo-1'),
    incident: produceIncident,
  };
  // The first batch has the cause, the second the command, the third the agent's answer.
  const crashes = Object.entries(causes).flatMap(([cause, produce]) =>
    [`the ${cause}`, `the command of an ${cause}`, `the answer to an ${cause}`].flatMap((input, batch) =>
      (['before-effect', 'before-commit', 'after-commit'] as const).map((point) => ({ produce, input, batch, point })),
    ),
  );
  for (const { produce, input, batch, point } of crashes) {
    test(`killed with -9 at ${input}, ${point}: one command, one Result, one dead process`, async () => {
      using dir = tempDir();
      await using target = startVictim();
      const key = createSigningKey();
      const keyFile = join(dir.path, 'key.pem');
      writeFileSync(keyFile, key.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
      const path = join(dir.path, 'bus.db');
      {
        await using bus = await openEmbeddedBus({ path });
        await bus.ensureTopics(topicsWith(8));
        await produce(bus, target.pid);
      }
      const script = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
      const args = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', script];
      const crashed = spawnSync(
        process.execPath,
        [...args, dir.path, keyFile, String(target.pid), point, String(batch + 1)],
        { timeout: 15_000 },
      );
      assert.equal(crashed.signal, 'SIGKILL', crashed.stderr.toString());

      await using bus = await openEmbeddedBus({ path });
      const control = new TestAgent(key, dir.path, [target.pid]);
      const coordination = join(dir.path, 'coordination.db');
      await using responder = await startTestResponder({
        ...{ bus, key, control, coordination },
        overrides: { policies: [ENFORCING, FOR_INCIDENTS] },
      });
      if (target.child.signalCode === null) await once(target.child, 'exit');
      const [result] = await firstResults(bus, 1);
      assert.equal(result?.outcome, 'executed');
      await responder.close();
      const commands = await all(bus, TOPIC.commands, (value) => decode('Command', value));
      const results = await all(bus, TOPIC.results, (value) => decode('Result', value));
      assert.deepEqual(
        commands.map(({ id }) => id),
        [result.id],
      );
      assert.deepEqual(
        results.map(({ id }) => id),
        [result.id],
      );
      assert.equal(control.executed().length, 1);
    });
  }
});
