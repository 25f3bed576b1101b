import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import {
  type Command,
  createSigningKey,
  decode,
  encodeSigned,
  PROCESS_ONLY,
  type Result,
  u64FromBigInt,
} from '@ringfence/wire';
import { createAgentControl } from '../src/control/control.ts';
import type { ListProcesses } from '../src/control/kill.ts';
import { findInProc, listProc } from './proc.ts';

const key = createSigningKey();
const identity = { hostId: 'host', bootId: 'boot' };

describe('a process that forked before it was killed', () => {
  let directory: string;
  let victim: ChildProcess | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'rf-descendants-'));
  });
  afterEach(() => {
    const pids = existsSync(join(directory, 'pids')) ? readFileSync(join(directory, 'pids'), 'utf8').split('\n') : [];
    for (const pid of pids.filter((text) => text !== '' && findInProc(Number(text)) !== null))
      process.kill(Number(pid), 'SIGKILL');
    victim?.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  /** Starts a shell that runs the script in the directory, and writes a line when it is ready. */
  async function start(command: string, ...args: string[]): Promise<ChildProcess> {
    const child = spawn(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
    victim = child;
    await once(child.stdout, 'data');
    return child;
  }

  async function kill(pid: number, list: ListProcesses | undefined = listProc): Promise<Result> {
    const control = createAgentControl({
      ...identity,
      trustedKeys: new Map([[key.keyId, key.publicKey]]),
      stateDir: join(directory, 'state'),
      killsPerMinute: 60,
      find: findInProc,
      ...(list === undefined ? {} : { list }),
      isProtected: () => null,
      setInterest: () => {},
      log: silentLog,
    });
    const now = Date.now() * 1000;
    const command: Omit<Command, 'keyId' | 'signature'> = {
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
      ...{ entityId: '', pid, start: u64FromBigInt(0n), executable: '' },
      ...{ issuedAt: now, expiresAt: now + 30_000_000 },
    };
    return decode('Result', await control.execute(encodeSigned('Command', command, key)));
  }

  /** A child and its child work on, each in a session of its own, and write to files. */
  const WORKERS = `
    work() { while :; do echo working >>"$1"; sleep 0.02; done; }
    (echo $(sh -c 'echo $PPID') >>pids; (echo $(sh -c 'echo $PPID') >>pids; work second) & work first) &
    while [ ! -s first ] || [ ! -s second ]; do sleep 0.02; done
    echo ready; wait`;

  it('is killed, while its descendants go on, and the answer counts them', async () => {
    const child = await start('sh', '-c', WORKERS);
    const { outcome, children } = await kill(child.pid as number);
    assert.deepEqual([outcome, children], ['executed', 2]);
    const sizes = ['first', 'second'].map((name) => statSync(join(directory, name)).size);
    while (['first', 'second'].some((name, i) => statSync(join(directory, name)).size === sizes[i])) await sleep(10);
  });

  it('leaves nothing when it was alone', async () => {
    const child = await start('sh', '-c', 'echo ready; exec sleep 60');
    const { outcome, children } = await kill(child.pid as number);
    assert.deepEqual([outcome, children], ['executed', 0]);
    assert.deepEqual(await once(child, 'exit').then(([, signal]) => signal), 'SIGKILL');
  });

  it('is not counted for those that die with it', {
    skip: process.getuid?.() === 0 ? false : 'only root can start a pid namespace',
  }, async () => {
    const args = ['-pf', '--kill-child', 'sh', '-c', 'sleep 60 & sleep 60 & echo ready; wait'];
    const child = await start('unshare', ...args);
    const { children } = await kill(child.pid as number);
    assert.equal(children, 0);
  });

  it('is killed although its descendants cannot be listed, whose number is then not known', async () => {
    const child = await start('sh', '-c', 'echo ready; exec sleep 60');
    const { outcome, children } = await kill(child.pid as number, () => {
      throw new Error('no iterator');
    });
    assert.deepEqual([outcome, children], ['executed', -1]);
  });
});
