import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLog } from '@ringfence/base';
import type { Control } from '@ringfence/control/port';
import {
  type Command,
  createSigningKey,
  decode,
  encode,
  PROCESS_ONLY,
  type Result,
  SIGNATURE_BYTES,
  signBytes,
  u64FromBigInt,
} from '@ringfence/wire';
import { createAgentControl } from '../src/control/control.ts';
import { findInProc } from './proc.ts';

const key = createSigningKey();
const SECOND = 1_000_000;
const HOUR = 3600 * SECOND;
const identity = { hostId: 'host', bootId: 'boot' };

describe("an agent whose host's clock is set", () => {
  let stateDir: string;
  let victim: ChildProcess;
  /** The clock of the responder, which nobody sets, µs since the epoch. */
  let trueTime: number;
  /** Error of the host's clock, µs. */
  let error: number;
  let control: Control;

  beforeEach(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'rf-clock-'));
    victim = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(victim, 'spawn');
    trueTime = 1_800_000_000 * SECOND;
    error = 0;
    control = startAgent();
  });
  afterEach(() => {
    victim.kill('SIGKILL');
    rmSync(stateDir, { recursive: true });
  });

  function startAgent(): Control {
    return createAgentControl({
      ...identity,
      trustedKeys: new Map([[key.keyId, key.publicKey]]),
      stateDir,
      killsPerMinute: 60,
      find: findInProc,
      isProtected: () => null,
      setInterest: () => {},
      log: silentLog,
      clock: { realtime: () => trueTime + error, boottime: () => trueTime - 1_700_000_000 * SECOND },
    });
  }

  /** A command that the responder signs now, which lives for 30 s. */
  function order(overrides: Partial<Command> = {}): Buffer {
    const command: Command = {
      ...{
        id: 'command-1',
        action: 'kill',
        mode: 'enforce',
        cause: 'alert',
        policy: 'test',
        reason: 'test',
        ordinal: 0,
        ...PROCESS_ONLY,
      },
      ...identity,
      ...{ entityId: '', pid: victim.pid as number, start: u64FromBigInt(0n), executable: '' },
      ...{ issuedAt: trueTime, expiresAt: trueTime + 30 * SECOND },
      ...{ keyId: key.keyId, signature: Buffer.alloc(SIGNATURE_BYTES) },
      ...overrides,
    };
    const bytes = encode('Command', command);
    signBytes(key, bytes.subarray(0, bytes.length - SIGNATURE_BYTES)).copy(bytes, bytes.length - SIGNATURE_BYTES);
    return bytes;
  }

  const execute = async (bytes: Uint8Array): Promise<Result> => decode('Result', await control.execute(bytes));

  for (const [title, hours] of [
    ['back', -5],
    ['back by a year', -8760],
    ['forward', 5],
  ] as const)
    it(`kills as before when it is set ${title}`, async () => {
      error = hours * HOUR;
      assert.equal((await execute(order())).outcome, 'executed');
      assert.deepEqual(await once(victim, 'exit'), [null, 'SIGKILL']);
    });

  it('still refuses a command that has expired, and names the clock as the reason', async () => {
    const bytes = order();
    trueTime += 60 * SECOND;
    error = -5 * HOUR;
    const { outcome, reason } = await execute(bytes);
    assert.deepEqual([outcome, reason, victim.signalCode], ['refused', 'clock-set', null]);
    error = 0;
    assert.equal((await execute(bytes)).outcome, 'expired');
  });

  it('carries out a command once, although the clock was set in between', async () => {
    const bytes = order();
    assert.equal((await execute(bytes)).outcome, 'executed');
    for (error of [5 * HOUR, -5 * HOUR]) {
      const { outcome, reason } = await execute(bytes);
      assert.deepEqual([outcome, reason], ['refused', 'already-executed']);
    }
  });

  it('obeys no expired command after a wrong clock was corrected', async () => {
    error = -5 * HOUR;
    control = startAgent();
    error = 0;
    const first = order();
    assert.equal((await execute(first)).outcome, 'executed');
    const late = order({ id: 'command-2' });
    trueTime += 2 * HOUR;
    assert.equal((await execute(late)).outcome, 'expired');
  });
});
