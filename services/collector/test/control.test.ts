import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@ringfence/bus';
import { type FoundProcess, protection } from '@ringfence/response';
import {
  bodyOf,
  identity,
  kernelSkip,
  memoryBus,
  readEvents,
  startTestCollector,
  TestPlace,
} from '@ringfence/testkit/agent';
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
import { ExecutedCommands } from '../src/control/executed.ts';
import { killProcess } from '../src/control/kill.ts';
import { RateLimit } from '../src/control/rate-limit.ts';
import type { Collector } from '../src/main.ts';
import { listProc } from './proc.ts';

const key = createSigningKey();
const untrustedKey = createSigningKey();
const SECOND = 1_000_000;
const nowMicros = (): number => Date.now() * 1000;
let count = 0;

function signedCommand(overrides: Partial<Command>, signer = key): Buffer {
  const command: Command = {
    id: `command-${process.pid}-${count++}`,
    action: 'kill',
    mode: 'enforce',
    cause: 'alert',
    policy: 'test',
    reason: 'test',
    ordinal: 0,
    ...PROCESS_ONLY,
    hostId: identity.hostId,
    bootId: identity.bootId,
    entityId: '',
    pid: 0,
    start: u64FromBigInt(0n),
    executable: '',
    issuedAt: nowMicros(),
    expiresAt: nowMicros() + 30 * SECOND,
    keyId: signer.keyId,
    signature: Buffer.alloc(SIGNATURE_BYTES),
    ...overrides,
  };
  const bytes = encode('Command', command);
  signBytes(signer, bytes.subarray(0, bytes.length - SIGNATURE_BYTES)).copy(bytes, bytes.length - SIGNATURE_BYTES);
  return bytes;
}

describe('commands against real processes', { skip: kernelSkip() }, () => {
  let place: TestPlace;
  let bus: Bus;
  let collector: Collector;

  before(async () => {
    place = new TestPlace();
    bus = await memoryBus();
    const trustedKeys = new Map([[key.keyId, key.publicKey]]);
    collector = await startTestCollector(place, bus, {}, { trustedKeys });
  });
  after(async () => {
    await collector.close();
    await bus.close();
    place[Symbol.dispose]();
  });

  const execute = async (bytes: Uint8Array): Promise<Result> =>
    decode('Result', await collector.control.execute(bytes));

  /** Starts a process to kill, and reads its start time from its exec event. */
  async function startVictim(...command: string[]): Promise<{ child: ChildProcess; pid: number; start: Uint8Array }> {
    const [program = '/bin/sleep', ...args] = command.length === 0 ? ['/bin/sleep', '60'] : command;
    const child = spawn(program, args, { stdio: 'ignore' });
    await once(child, 'spawn');
    await collector.settle();
    const events = await readEvents(bus);
    const exec = events.find((event) => event.tgid === child.pid && bodyOf(event, 'Exec') !== undefined);
    assert.ok(exec);
    return { child, pid: child.pid as number, start: exec.start };
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  it('kills the process that the command names, and reports its executable', async () => {
    const { child, pid, start } = await startVictim();
    const exited = once(child, 'exit');
    const result = await execute(signedCommand({ pid, start }));
    assert.deepEqual([result.outcome, result.children], ['executed', 0]);
    assert.match(result.executable, /sleep|busybox|coreutils/);
    assert.deepEqual((await exited)[1], 'SIGKILL');
  });

  it('counts the children and grandchildren that the process leaves behind', async () => {
    const script = "sh -c 'sleep 60 & wait' & sleep 60 & wait";
    const { child, pid, start } = await startVictim('/bin/sh', '-c', script);
    const group = (): number[] => listProc().flatMap(({ tgid, parentTgid }) => (parentTgid === pid ? [tgid] : []));
    while (group().length < 2) await sleep(10);
    const children = group();
    const grandchildren = (): number[] =>
      listProc().flatMap(({ tgid, parentTgid }) => (children.includes(parentTgid) ? [tgid] : []));
    while (grandchildren().length < 1) await sleep(10);
    const descendants = [...children, ...grandchildren()];
    try {
      const result = await execute(signedCommand({ pid, start }));
      assert.deepEqual([result.outcome, result.children], ['executed', 3]);
    } finally {
      for (const descendant of descendants) process.kill(descendant, 'SIGKILL');
      await kill(child);
    }
  });

  it('carries out a command only once', async () => {
    const { child, pid, start } = await startVictim();
    const bytes = signedCommand({ pid, start });
    assert.equal((await execute(bytes)).outcome, 'executed');
    const again = await execute(bytes);
    assert.deepEqual([again.outcome, again.reason], ['refused', 'already-executed']);
    await kill(child);
  });

  it('refuses a command when the pid belongs to another process by now', async () => {
    const { child, pid, start } = await startVictim();
    const otherStart = u64FromBigInt(Buffer.from(start).readBigUInt64LE() + 1n);
    const result = await execute(signedCommand({ pid, start: otherStart }));
    assert.deepEqual([result.outcome, result.reason], ['refused', 'not-the-process']);
    assert.equal(child.exitCode, null);
    await kill(child);
  });

  it('kills a process that runs another executable by now, and reports that', async () => {
    const { child, pid, start } = await startVictim();
    const result = await execute(signedCommand({ pid, start, executable: '/usr/bin/something-else' }));
    assert.equal(result.outcome, 'executed');
    assert.match(result.reason, /another executable/);
    await kill(child);
  });

  it('answers that the process has ended', async () => {
    const { child, pid, start } = await startVictim();
    await kill(child);
    assert.equal((await execute(signedCommand({ pid, start }))).outcome, 'gone');
  });

  it('never kills pid 1, a kernel thread, the agent or its parent', async () => {
    for (const pid of [1, 2, process.pid, process.ppid]) {
      const exec = (await readEvents(bus)).find((event) => event.tgid === pid && bodyOf(event, 'Exec') !== undefined);
      assert.ok(exec, `pid ${pid}`);
      const result = await execute(signedCommand({ pid, start: exec.start }));
      assert.deepEqual([result.outcome, result.reason], ['refused', 'protected'], `pid ${pid}`);
    }
  });

  const refusals: readonly { title: string; bytes: () => Buffer; answer: readonly [string, string] }[] = [
    {
      title: 'a command signed by an unknown key',
      bytes: () => signedCommand({}, untrustedKey),
      answer: ['refused', 'unknown-key'],
    },
    {
      title: "a signature by another key under a trusted key's id",
      bytes: () => signedCommand({ keyId: key.keyId }, untrustedKey),
      answer: ['refused', 'bad-signature'],
    },
    {
      title: 'a command with a changed byte',
      bytes: () => {
        const bytes = signedCommand({ pid: 4_000_000 });
        bytes[bytes.indexOf('command-') + 3] = 0x78;
        return bytes;
      },
      answer: ['refused', 'bad-signature'],
    },
    {
      title: 'a command for another host',
      bytes: () => signedCommand({ hostId: 'other' }),
      answer: ['refused', 'wrong-host'],
    },
    {
      title: 'a command for another boot',
      bytes: () => signedCommand({ bootId: 'other' }),
      answer: ['refused', 'wrong-boot'],
    },
    {
      title: 'an observe command',
      bytes: () => signedCommand({ mode: 'observe' }),
      answer: ['refused', 'not-enforced'],
    },
    {
      title: 'a command that is valid for a day',
      bytes: () => signedCommand({ expiresAt: nowMicros() + 86_400 * SECOND }),
      answer: ['refused', 'expires-too-late'],
    },
    {
      title: 'a command whose id has a line break',
      bytes: () => signedCommand({ id: 'a\nb' }),
      answer: ['refused', 'expires-too-late'],
    },
    { title: 'bytes that are not a command', bytes: () => Buffer.alloc(300, 7), answer: ['refused', 'unreadable'] },
    { title: 'a megabyte of zeros', bytes: () => Buffer.alloc(1 << 20), answer: ['refused', 'unreadable'] },
  ];
  for (const { title, bytes, answer } of refusals) {
    it(`refuses ${title}`, async () => {
      const result = await execute(bytes());
      assert.deepEqual([result.outcome, result.reason], answer);
    });
  }

  it('answers that a command has expired', async () => {
    // Either clock may run a few microseconds behind the other, and a command is valid by the later one.
    assert.equal((await execute(signedCommand({ expiresAt: nowMicros() - 60 * SECOND }))).outcome, 'expired');
  });

  it('kills nothing when the pid cannot be a process', async () => {
    for (const pid of [0, -1, -(2 ** 31)]) {
      const { outcome } = await execute(signedCommand({ pid }));
      assert.ok(outcome === 'failed' || outcome === 'gone', `${pid}: ${outcome}`);
    }
  });

  it('counts each answer', () => {
    const { commands } = collector.stats();
    assert.equal(commands['refused/unknown-key'], 1);
    assert.equal(commands['expired'], 1);
    assert.ok((commands['executed'] ?? 0) >= 3);
  });
});

describe('the list of executed commands', () => {
  const inDirectory = (test: (directory: string) => void) => () => {
    const directory = mkdtempSync(join(tmpdir(), 'ringfence-executed-'));
    try {
      test(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  it(
    'keeps ids across a restart until they expire',
    inDirectory((directory) => {
      const first = new ExecutedCommands(directory, 0);
      first.add('a', 100, 0);
      first.add('b', 200, 0);
      const second = new ExecutedCommands(directory, 150);
      assert.equal(second.has('a'), false);
      assert.equal(second.has('b'), true);
      assert.equal(readFileSync(join(directory, 'executed.log'), 'utf8'), '\nb 200\n');
    }),
  );

  it(
    'ignores a torn line and noise',
    inDirectory((directory) => {
      new ExecutedCommands(directory, 0).add('a', 100, 0);
      appendFileSync(join(directory, 'executed.log'), '\u0000\u0001 noise\nb 99999999999999999999\nc 3');
      const again = new ExecutedCommands(directory, 0);
      assert.deepEqual([again.size, again.has('a')], [1, true]);
    }),
  );

  it(
    'keeps an id after a line that a full disk has torn',
    inDirectory((directory) => {
      const first = new ExecutedCommands(directory, 0);
      appendFileSync(join(directory, 'executed.log'), '\ntorn 17');
      first.add('a', 100, 0);
      assert.ok(new ExecutedCommands(directory, 0).has('a'));
    }),
  );

  it(
    'stays bounded',
    inDirectory((directory) => {
      const commands = new ExecutedCommands(directory, 0);
      for (let i = 0; i < 2500; i++) commands.add(`id-${i}`, i + 10, i);
      assert.ok(commands.size < 1100);
    }),
  );
});

describe('killing', () => {
  it('is limited to a number of kills in any 60 s', () => {
    const limit = new RateLimit(2);
    assert.deepEqual(
      [0, 1000, 59_000, 60_000, 60_500, 61_000].map((at) => limit.take(at)),
      [true, true, false, true, false, true],
    );
  });

  it('is recorded before the signal, which is not sent when that fails', () => {
    const self: FoundProcess = { tgid: process.pid, start: 1n, parentTgid: 0, executable: '/x' };
    const fail = (): void => {
      throw new Error('disk full');
    };
    const result = killProcess(
      { pid: process.pid, start: 1n },
      () => self,
      () => null,
      fail,
    );
    assert.deepEqual(result, { outcome: 'failed', reason: 'disk full', executable: '/x' });
  });

  it('spares a manager, known by its file and its parent, not by its name', () => {
    const facts = (tgid: number, parentTgid: number): FoundProcess => ({
      tgid,
      parentTgid,
      start: 0n,
      executable: '/usr/sbin/sshd',
    });
    const child = 4_000_001;
    const find = (tgid: number): FoundProcess | null => (tgid === child ? facts(child, 4_000_002) : null);
    const isProtected = protection(find);
    assert.equal(isProtected(facts(child, 4_000_002)), null, 'its file is not sshd');
    assert.equal(isProtected(facts(1, 0)), 'pid 1');
    assert.equal(isProtected(facts(77, 2)), 'a kernel thread');
  });
});
