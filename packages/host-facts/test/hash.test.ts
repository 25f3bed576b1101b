import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import type { OutRecord } from '@ringfence/bus';
import type { Collector } from '@ringfence/collector';
import { ifExists, kernelDevice } from '@ringfence/host-kit';
import { FullProfile, type RecordSource } from '@ringfence/sensor';
import { buildSensor } from '@ringfence/sensor/build';
import { bodyOf, kernelSkip, startTestCollector, TestPlace } from '@ringfence/testkit/agent';
import { decode, decodeText, type Event, type Hash, records } from '@ringfence/wire';
import { ExecHashes } from '../src/hash/exec-hashes.ts';
import type { HashFact } from '../src/hash/types.ts';

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const unshareSkip =
  spawnSync('unshare', ['-m', 'true']).status === 0 ? false : "unshare can't create a mount namespace";

/** A bus that keeps the events these tests need. */
class EventCollector {
  readonly execs: Event[] = [];
  readonly hashes: { readonly event: Event; readonly hash: Hash; readonly path: string }[] = [];

  async produce(out: readonly OutRecord[]): Promise<void> {
    for (const { value } of out)
      for (const event of decode('RawBatch', value ?? new Uint8Array()).events) this.#take(event);
  }

  #take(event: Event): void {
    const hash = bodyOf(event, 'Hash');
    if (hash !== undefined) this.hashes.push({ event, hash, path: decodeText(hash.path.bytes) });
    else if (bodyOf(event, 'Exec') !== undefined) this.execs.push(event);
  }
}

/** Returns the hash, or why there is none. */
const resultOf = ({ sha256, skipped }: Hash): string => skipped || Buffer.from(sha256).toString('hex');

describe('hashes of executed files on the running kernel', { skip: kernelSkip() }, () => {
  const resources = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'ringfence-hash-'));
  const received = new EventCollector();
  let collector: Collector;
  let knowsScripts: boolean;
  let copies = 0;

  before(async () => {
    resources.defer(() => rmSync(directory, { recursive: true }));
    const place = resources.use(new TestPlace());
    const hash = { enabled: true, maxBytes: 4 << 20, bytesPerSecond: 256 << 20 };
    collector = resources.use(await startTestCollector(place, received, { hash }));
    knowsScripts = !FullProfile.probe(await buildSensor()).missingHooks.has('bprm_check_security');
  });
  after(() => resources.disposeAsync());

  /** Makes a program that was never executed. */
  function fresh(program: string): string {
    const path = join(directory, `program-${copies++}`);
    copyFileSync(program, path);
    appendFileSync(path, `\n${path}`);
    return path;
  }

  /** Waits for `count` hash events of the executable at `path`. */
  async function hashesOf(path: string, count = 1): Promise<EventCollector['hashes']> {
    for (;;) {
      await collector.settle();
      const ofPath = received.hashes.filter((event) => event.path === path);
      if (ofPath.length >= count) return ofPath;
      await sleep(10);
    }
  }

  const resultsOf = async (path: string, count = 1): Promise<string[]> =>
    (await hashesOf(path, count)).map(({ hash }) => resultOf(hash));

  function running(path: string, ...args: string[]): ChildProcess & Disposable {
    const child = spawn(path, args, { stdio: 'ignore' });
    return Object.assign(child, { [Symbol.dispose]: () => void child.kill('SIGKILL') });
  }

  it("are sent for a program's first exec, to each of its waiting processes", async () => {
    const path = fresh('/bin/sleep');
    using child = running(path, '60');
    const [answered, ...rest] = await hashesOf(path);
    assert.ok(answered);
    assert.equal(rest.length, 0);
    const { event, hash: answer } = answered;
    assert.equal(resultOf(answer), sha256(path));
    const exec = received.execs.find(({ tgid }) => tgid === child.pid);
    assert.ok(exec);
    assert.deepEqual([event.tgid, event.start, event.execId], [child.pid, exec.start, exec.execId]);
    const asked = bodyOf(exec, 'Exec');
    assert.deepEqual([answer.inode, answer.device, answer.ctime], [asked?.inode, asked?.device, asked?.ctime]);
  });

  it('are computed once for each change of a file, however often it is executed', async () => {
    const path = fresh('/bin/true');
    execFileSync(path);
    assert.deepEqual(await resultsOf(path), [sha256(path)]);
    const { cached } = collector.stats().hashes;
    for (let i = 0; i < 10; i++) execFileSync(path);
    await collector.settle();
    assert.ok(collector.stats().hashes.cached - cached >= 10);
    const before = sha256(path);
    appendFileSync(path, 'more');
    execFileSync(path);
    assert.deepEqual(await resultsOf(path, 2), [before, sha256(path)]);
  });

  it('are correct although the file was unlinked or replaced right after the exec', async () => {
    const [gone, replaced, replacement] = [fresh('/bin/sleep'), fresh('/bin/sleep'), fresh('/bin/cat')];
    const expected = [sha256(gone), sha256(replaced)];
    using _first = running(gone, '60');
    unlinkSync(gone);
    using _second = running(replaced, '60');
    renameSync(replacement, replaced);
    assert.deepEqual([...(await resultsOf(gone)), ...(await resultsOf(replaced))], expected);
  });

  it('never come from content that was written after the program ended', async () => {
    const expected = new Map<string, string>();
    for (let i = 0; i < 20; i++) {
      const path = fresh('/bin/true');
      expected.set(path, sha256(path));
      // The exec must be later than the ctime by a step of the kernel's clock. Within a step, a write does not change
      // the ctime.
      await sleep(12);
      execFileSync(path);
      copyFileSync('/bin/cat', path);
    }
    for (const [path, hash] of expected) {
      const [result, ...rest] = await resultsOf(path);
      assert.equal(rest.length, 0);
      assert.ok(result === hash || result === 'changed' || result === 'gone', `${result} of ${hash}`);
    }
  });

  it('are computed for programs that run from memory', async () => {
    const run = join(directory, 'run');
    execFileSync('cc', ['-o', run, join(import.meta.dirname, '../../../test/kernel/programs/run.c')]);
    using child = running(run, 'memfd', '/usr/bin/yes');
    const answers = () =>
      received.hashes.filter(({ event }) => event.tgid === child.pid).map(({ hash }) => resultOf(hash));
    while (answers().length < 2) await sleep(10);
    assert.deepEqual(answers(), [sha256(run), sha256('/usr/bin/yes')]);
  });

  it('are computed in another mount namespace, even if the process has ended and only its parent is left', {
    skip: unshareSkip,
  }, async () => {
    const mounted = mkdtempSync(join(directory, 'mount-'));
    const script =
      'mount -t tmpfs none "$3" && cp "$1" "$3/brief" && cp "$2" "$3/lasting" && "$3/brief" && exec "$3/lasting" 60';
    const [brief, lasting] = [fresh('/bin/true'), fresh('/bin/sleep')];
    using _child = running('unshare', '-m', 'sh', '-c', script, 'sh', brief, lasting, mounted);
    assert.deepEqual(await resultsOf(join(mounted, 'lasting')), [sha256(lasting)]);
    // The parent meanwhile executed another program in the same namespace.
    assert.deepEqual(await resultsOf(join(mounted, 'brief')), [sha256(brief)]);
  });

  it('are reported as gone with their whole mount namespace', { skip: unshareSkip }, async () => {
    const mounted = mkdtempSync(join(directory, 'mount-'));
    const script = 'mount -t tmpfs none "$2" && cp "$1" "$2/last" && exec "$2/last"';
    const last = fresh('/bin/true');
    execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', last, mounted]);
    const [result] = await resultsOf(join(mounted, 'last'));
    assert.ok(result === 'gone' || result === sha256(last), result);
  });

  it('cover a script beside its interpreter, and never content that replaced the script', async (t) => {
    const scripts = [0, 1].map((n) => join(directory, `script-${n}`)) as [string, string];
    const interpreter = fresh('/bin/sh');
    for (const path of scripts)
      writeFileSync(
        path,
        `#!${interpreter}
: ${path}
`,
        { mode: 0o755 },
      );
    const expected = sha256(scripts[0]);
    const link = join(directory, 'link');
    symlinkSync(scripts[0], link);
    execFileSync(link);
    await collector.settle();
    const exec = received.execs
      .map((event) => bodyOf(event, 'Exec'))
      .find((body) => body !== undefined && decodeText(body.filename.bytes) === link);
    assert.ok(exec);
    if (!knowsScripts) {
      assert.equal(exec.script.length, 0);
      return t.skip("without the full profile the script's file is unknown");
    }
    const [ofScript] = await hashesOf(scripts[0]);
    assert.deepEqual([ofScript?.hash.script, ofScript && resultOf(ofScript.hash)], [true, expected]);
    const [ofInterpreter] = await hashesOf(interpreter);
    assert.deepEqual(
      [ofInterpreter?.hash.script, ofInterpreter && resultOf(ofInterpreter.hash)],
      [false, sha256(interpreter)],
    );
    const { cached } = collector.stats().hashes;
    execFileSync(scripts[0]);
    await collector.settle();
    assert.equal(collector.stats().hashes.cached - cached, 2, 'script and interpreter');
    const original = sha256(scripts[1]);
    await sleep(12);
    execFileSync(scripts[1]);
    appendFileSync(scripts[1], 'more');
    const [result] = await resultsOf(scripts[1]);
    assert.ok(result === original || result === 'changed', result);
  });

  it('are skipped for a file that is too big, once for all its execs', async () => {
    const path = fresh('/bin/true');
    truncateSync(path, 5 << 20);
    execFileSync(path);
    const [{ hash: big } = { hash: undefined }] = await hashesOf(path);
    const { cached } = collector.stats().hashes;
    execFileSync(path);
    await collector.settle();
    assert.ok(collector.stats().hashes.cached > cached);
    assert.ok((collector.stats().hashes.skipped['too big'] ?? 0) > 0);
    assert.deepEqual([big?.skipped, big?.size, big?.lasting], ['too big', 5 << 20, true]);
  });
});

/** Makes the sensor's record of an exec of the file `inode`. */
function execOf(inode: bigint): RecordSource {
  const bytes = Buffer.alloc(records.SIZEOF_EXEC);
  bytes.writeUInt32LE(process.pid, records.HEADER_TGID);
  bytes.writeBigUInt64LE(inode, records.EXEC_INODE);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset) };
}

/** Makes the full profile's record of an exec by this process: of the script at `path`, with its interpreter. */
function execOfScript(path: string, interpreter: string, ctime: bigint): RecordSource {
  const files = [
    [interpreter, records.EXEC_DEVICE, records.EXEC_INODE, records.EXEC_CTIME, records.EXEC_PATH],
    [path, records.EXEC_SCRIPT_DEVICE, records.EXEC_SCRIPT_INODE, records.EXEC_SCRIPT_CTIME, records.EXEC_SCRIPT],
  ] as const;
  const { bytes } = execOf(0n);
  const record = Buffer.concat([bytes, ...files.map(([file]) => Buffer.from(file))]);
  let end = bytes.length;
  for (const [file, device, inode, changed, text] of files) {
    const stat = statSync(file, { bigint: true });
    record.writeUInt32LE(kernelDevice(stat.dev), device);
    record.writeBigUInt64LE(stat.ino, inode);
    record.writeBigInt64LE(file === path ? ctime : stat.ctimeNs, changed);
    record.writeUInt32LE(end, text + records.TEXT_OFFSET);
    for (const field of [records.TEXT_KEPT, records.TEXT_LENGTH]) record.writeUInt32LE(file.length, text + field);
    end += file.length;
  }
  const mounts = statSync('/proc/self/ns/mnt').ino;
  record.writeUInt32LE(mounts, records.EXEC_NAMESPACES + records.NAMESPACES_MNT);
  return { bytes: record, view: new DataView(record.buffer, record.byteOffset, record.length) };
}

describe('the queue of executables', () => {
  it('hashes script and interpreter once each, distinguishes them, and detects a changed script', {
    skip: process.getuid?.() === 0 ? false : 'needs root',
  }, async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'ringfence-script-')), 'run.sh');
    writeFileSync(path, '#!/bin/sh\n: done\n');
    const { ctimeNs } = statSync(path, { bigint: true });
    const facts: HashFact[] = [];
    const limits = { maxBytes: 512 << 20, bytesPerSecond: 512 << 20 };
    const hashes = new ExecHashes({ enabled: true, log: silentLog, ...limits, onAnswer: () => {} });
    const answers = async (count: number): Promise<void> => {
      for (; facts.length < count; await sleep(5)) hashes.flush({ hash: (fact) => facts.push(fact) }, true);
    };
    hashes.onExec(execOfScript(path, process.execPath, ctimeNs), 0);
    await answers(2);
    hashes.onExec(execOfScript(path, process.execPath, ctimeNs), 0);
    assert.equal(hashes.stats().cached, 2);
    hashes.onExec(execOfScript(path, process.execPath, ctimeNs - 1n), 0);
    await answers(3);
    await hashes.close();
    rmSync(dirname(path), { recursive: true });
    assert.deepEqual(
      facts.map((fact) => [fact.process?.script, fact.path.toString(), fact.skipped]).sort(),
      [
        [false, process.execPath, null],
        [true, path, 'changed'],
        [true, path, null],
      ].sort(),
    );
    const script = facts.find((fact) => fact.process?.script === true && fact.skipped === null);
    const expected = createHash('sha256').update('#!/bin/sh\n: done\n').digest('hex');
    assert.equal(Buffer.from(script?.sha256 ?? []).toString('hex'), expected);
  });

  it('skips and counts an exec that finds it full', async () => {
    const facts: HashFact[] = [];
    const limits = { maxBytes: 1, bytesPerSecond: 1 << 20, queueMax: 2 };
    const answered = Promise.withResolvers<void>();
    const hashes = new ExecHashes({ enabled: true, log: silentLog, ...limits, onAnswer: answered.resolve });
    for (const inode of [1n, 2n, 3n, 2n]) hashes.onExec(execOf(inode), 0);
    hashes.flush({ hash: (fact) => facts.push(fact) }, true);
    assert.deepEqual(
      facts.map(({ inode, skipped, lasting }) => [inode, skipped, lasting]),
      [[3n, 'queue full', false]],
    );
    const { waiting, shared, skipped } = hashes.stats();
    assert.deepEqual([waiting, shared, skipped], [2, 1, { 'queue full': 1 }]);
    await answered.promise;
    await hashes.close();
  });

  it('ends its thread when it is idle, and starts another one for the next executable', async () => {
    const facts: HashFact[] = [];
    const limits = { maxBytes: 1, bytesPerSecond: 1 << 20, idleMs: 1 };
    const hashes = new ExecHashes({ enabled: true, log: silentLog, ...limits, onAnswer: () => {} });
    for (const inode of [1n, 2n]) {
      hashes.onExec(execOf(inode), 0);
      while (facts.at(-1)?.inode !== inode) {
        await sleep(5);
        hashes.flush({ hash: (fact) => facts.push(fact) }, true);
      }
      while (hashers() > 0) await sleep(5);
    }
    assert.equal(facts.length, 2);
    await hashes.close();
  });
});

/** Returns the number of hash threads in this process. */
const hashers = (): number =>
  readdirSync('/proc/self/task').filter((id) => {
    const name = ifExists(() => readFileSync(`/proc/self/task/${id}/comm`, 'utf8'));
    return name === 'hasher\n';
  }).length;
