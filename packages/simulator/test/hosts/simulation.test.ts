import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '@ringfence/config';
import { type ReplayResult, replay } from '@ringfence/runtime/replay';
import { createLogger } from '@ringfence/telemetry';
import {
  createSigningKey,
  decode,
  openRecording,
  recordingEntry,
  recordingHeader,
  type SigningKey,
} from '@ringfence/wire';
import { type AttackStep, attackOneHost, attackTwoHosts } from '../../src/hosts/attack.ts';
import { Machine } from '../../src/hosts/machine.ts';
import { playRecording } from '../../src/hosts/player.ts';

const BOOTED = Date.UTC(2026, 0, 1) * 1000;

/** Machines whose batches become a recording. */
class Scene implements Disposable {
  readonly machines: Machine[];
  readonly directory: string = mkdtempSync(join(tmpdir(), 'rf-simulated-'));
  readonly #keys: SigningKey[];
  readonly #batches: Buffer[] = [];
  #now = BOOTED + 3_600_000_000;

  constructor(count: number) {
    this.#keys = Array.from({ length: count }, createSigningKey);
    this.machines = this.#keys.map(
      (key, i) =>
        new Machine({
          number: i + 1,
          hostId: `host-${i + 1}`,
          bootId: `boot-${i + 1}`,
          run: BigInt(i + 1),
          key,
          bootedAt: BOOTED,
          startedAt: BOOTED + 3_600_000_000,
        }),
    );
  }

  send(): void {
    for (const { host } of this.machines) if (host.count > 0) this.#batches.push(host.batch());
  }

  play(steps: readonly AttackStep[]): void {
    for (const step of steps) {
      this.#now += 400_000;
      step((machine) => machine.passTo(this.#now));
      this.send();
    }
  }

  save(): string {
    const file = join(this.directory, 'recording');
    const keys = new Map(this.machines.map(({ host }, i) => [host.hostId, this.#keys[i]!.publicKey]));
    writeFileSync(file, Buffer.concat([recordingHeader(keys), ...this.#batches.map(recordingEntry)]));
    return file;
  }

  async result(): Promise<ReplayResult> {
    await using recording = await openRecording(this.save());
    return await replay(
      recording,
      loadConfig({ file: '/dev/null', flags: [] }),
      createLogger({ level: 'silent' }),
      () => {},
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

test('everyday work of a simulated host raises no alert', async () => {
  using scene = new Scene(1);
  for (let i = 0; i < 500; i++) scene.machines[0]?.work();
  scene.send();
  const { alerts, events } = await scene.result();
  assert.ok(events > 1000, `${events} events`);
  assert.deepEqual(
    alerts.map(({ rule }) => rule),
    [],
  );
});

test('an attack on a simulated host is one incident, for which the demo policy orders a kill', async () => {
  using scene = new Scene(1);
  const [web] = scene.machines as [Machine];
  web.work();
  scene.play(attackOneHost(web));
  const { incidents, commands } = await scene.result();
  assert.equal(incidents.length, 1);
  const tactics = incidents[0]?.stages.map(({ tactic }) => tactic) ?? [];
  for (const tactic of ['initial-access', 'command-and-control', 'credential-access', 'persistence'])
    assert.ok(tactics.includes(tactic), tactics.join(', '));
  assert.ok(commands.length > 0);
  for (const { pid, policy } of commands) {
    assert.ok(pid >= 5_000_000, 'no process of this machine has this pid');
    assert.equal(policy, 'demo');
  }
});

test('each attack on a simulated host is an incident of its own', async () => {
  using scene = new Scene(1);
  const [web] = scene.machines as [Machine];
  for (let n = 0; n < 3; n++) scene.play(attackOneHost(web));
  const { incidents } = await scene.result();
  assert.equal(incidents.filter(({ state }) => state === 'open').length, 3);
});

test('an attack that continues on a second simulated host is one incident of both hosts', async () => {
  using scene = new Scene(2);
  const [web, target] = scene.machines as [Machine, Machine];
  scene.play(attackTwoHosts(web, target));
  const { incidents } = await scene.result();
  const open = incidents.filter(({ state }) => state === 'open');
  assert.deepEqual(
    open.map(({ hosts }) => hosts),
    [['host-1', 'host-2']],
  );
});

test('a recording is played with the events of the recorded host, and the signature and a boot id of the player', async () => {
  using scene = new Scene(1);
  const [web] = scene.machines as [Machine];
  scene.play(attackOneHost(web));
  const key = createSigningKey();
  const played = await Array.fromAsync(playRecording({ file: scene.save(), hostId: 'player', key }));
  const batches = played.map(({ bytes }) => decode('RawBatch', bytes));
  assert.equal(batches.length, 5);
  for (const { hostId, bootId, keyId } of batches) {
    assert.deepEqual([hostId, keyId], ['player', key.keyId]);
    assert.notEqual(bootId, 'boot-1');
  }
  assert.equal(new Set(batches.map(({ bootId }) => bootId)).size, 1);
  assert.deepEqual(
    played.map(({ atMs }) => Math.round(atMs / 400)),
    [0, 1, 2, 3, 4],
  );
  const [{ events: first } = { events: [] }] = batches;
  assert.ok(first.some(({ body }) => 'ringfence.Exec' in body));
});
