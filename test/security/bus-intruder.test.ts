import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openEmbeddedBus } from '@ringfence/bus';
import { createSyntheticHost } from '@ringfence/synthetic';
import {
  type Command,
  createSigningKey,
  EventView,
  encode,
  PROCESS_ONLY,
  type SigningKey,
  signBytes,
  signedPart,
  TOPIC,
} from '@ringfence/wire';
import { Installation } from '../e2e/lib/program.ts';
import { skip } from '../e2e/lib/root.ts';
import { until } from '../e2e/lib/wait.ts';

type Target = Pick<Command, 'hostId' | 'bootId' | 'entityId' | 'pid' | 'start' | 'executable'>;

/** Returns the process of the audit trail whose first argument is `mark`, as the target of a command. */
function findTarget(home: Installation, mark: string): Target | undefined {
  using audit = home.audit();
  const view = new EventView();
  for (const { kind, payload } of audit.search(mark)) {
    if (kind !== 'execution') continue;
    view.open(payload);
    view.next();
    const { process, head } = view;
    if (process?.args[0] !== mark) continue;
    const { pid, start } = process.raw;
    return {
      hostId: head.hostId,
      bootId: head.bootId,
      entityId: process.entityId,
      pid,
      start,
      executable: process.executable,
    };
  }
  return undefined;
}

function forge(target: Target, id: string, keyId: string, key: SigningKey): Buffer {
  const now = Date.now() * 1000;
  const bytes = encode('Command', {
    ...target,
    id,
    action: 'kill',
    mode: 'enforce',
    cause: 'forged',
    policy: 'demo',
    reason: 'forged',
    ordinal: 0,
    ...PROCESS_ONLY,
    issuedAt: now,
    expiresAt: now + 30_000_000,
    keyId,
    signature: Buffer.alloc(64),
  });
  const { signed, signature } = signedPart(bytes);
  signature.set(signBytes(key, signed));
  return bytes;
}

describe('an intruder who can write to the bus', { skip }, () => {
  test('can neither kill a process nor add or duplicate an event', async (t) => {
    await using home = new Installation();
    const victim = spawn('bash', ['-c', 'read -r; exec -a rfintruded sleep 1000'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    t.after(() => victim.kill('SIGKILL'));
    const first = await home.up();
    victim.stdin.write('\n');
    const target = await until('the victim in the trail', () => findTarget(home, 'rfintruded'));
    assert.equal(target.pid, victim.pid);
    assert.equal((await first.stop()).code, 0);

    const strangerKey = createSigningKey();
    const trusted = readdirSync(join(home.stateDir, 'trusted'))[0]?.replace('.pem', '') ?? '';
    const unknownHost = createSyntheticHost();
    const impostor = createSyntheticHost({ hostId: target.hostId, bootId: target.bootId });
    for (const host of [unknownHost, impostor]) host.exec(host.init, '/bin/sh', { argv: ['rfinvented'] });
    {
      await using bus = await openEmbeddedBus({ path: join(home.stateDir, 'bus.db') });
      const seen = await Array.fromAsync(bus.read({ topic: TOPIC.raw }));
      const tampered = Buffer.from(seen.at(-1)?.value ?? []);
      tampered[tampered.length - 100] = (tampered[tampered.length - 100] ?? 0) ^ 1;
      const raw = (value: Uint8Array, key: string) => ({ topic: TOPIC.raw, key, value });
      const command = (value: Uint8Array) => ({ topic: TOPIC.commands, key: target.hostId, value });
      await bus.produce([
        ...seen.map(({ key, value }) => raw(value ?? Buffer.alloc(0), key)),
        raw(tampered, target.hostId),
        raw(unknownHost.batch(), unknownHost.hostId),
        raw(impostor.batch(), target.hostId),
        raw(Buffer.from('not a batch'), target.hostId),
        command(forge(target, 'forged-by-a-stranger', strangerKey.keyId, strangerKey)),
        command(forge(target, 'forged-in-the-name-of-the-responder', trusted, strangerKey)),
        command(Buffer.from('not a command')),
      ]);
    }

    await using second = await home.up();
    const deadLetters = await until('eight dead letters', async () => {
      using audit = home.audit();
      const found = await Array.fromAsync(audit.deadLetters());
      return found.length >= 8 && found;
    });
    assert.deepEqual(deadLetters.map(({ stage, code }) => `${stage} ${code}`).sort(), [
      'auditor ERR_SCHEMA_FRAME',
      'enricher ERR_ENRICHER_SIGNATURE',
      'enricher ERR_ENRICHER_SIGNATURE',
      'enricher ERR_ENRICHER_UNKNOWN_HOST',
      'enricher ERR_SCHEMA_MALFORMED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_SCHEMA_FRAME',
    ]);
    assert.equal(victim.exitCode ?? victim.signalCode, null, 'the victim was killed');
    assert.equal((await second.stop()).code, 0);
    using audit = home.audit();
    assert.deepEqual(await Array.fromAsync(audit.results()), []);
    assert.deepEqual(audit.search('rfinvented'), []);
    // Lane 0 has the events of the kernel; lane 17 has the snapshot of each start.
    const seen = audit.search('rfintruded').filter(({ kind, id }) => kind === 'execution' && id.split('/')[3] === '0');
    assert.equal(seen.length, 1);
    assert.deepEqual(audit.verify().problems, []);
  });
});

describe('another user of the machine', { skip }, () => {
  test('can neither send requests nor read stored data', async () => {
    await using home = new Installation();
    await using up = await home.up();
    const status = await home.run(['status'], { uid: 65_534 });
    assert.equal(status.code, 1);
    assert.match(status.stderr, /not allowed to open .*: run it as the user who runs ringfence up/);
    assert.equal((await up.stop()).code, 0);
    assert.equal(statSync(home.stateDir).mode & 0o777, 0o700);
    for (const name of readdirSync(home.stateDir, { recursive: true, encoding: 'utf8' })) {
      const { mode } = statSync(join(home.stateDir, name));
      assert.equal(mode & 0o077, 0, `other users can access ${name}`);
    }
    assert.match(readFileSync(join(home.stateDir, 'keys/agent.pem'), 'utf8'), /PRIVATE KEY/);
  });
});
