import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { OtherMounts, silentFuseSkip } from '@ringfence/testkit/silent-file-system';
import { ActionRefusedError, type RefusedReason } from '../../src/errors.ts';
import { type QuarantineOptions, quarantineKind } from '../../src/files/quarantine.ts';
import type { TakenFile } from '../../src/files/taken-file.ts';
import { makeFile, orderFor, snapshot, TestFiles } from './file-systems.ts';
import { RunKind } from './run-kind.ts';

const skip = process.geteuid?.() === 0 ? false : 'needs root: it mounts file systems and changes owners';

const isRefused = (reason: RefusedReason, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ActionRefusedError, String(error));
  assert.match(`${error.reason}: ${error.message}`, new RegExp(`^${reason}: .*${message.source}`));
  return true;
};

/** A folder with one file, which a quarantine is to leave exactly as it is. */
class Target implements Disposable {
  readonly files = new TestFiles();
  readonly directory: string = this.files.make('tmpfs');
  readonly path: string = join(this.directory, 'program');
  readonly before: object;

  constructor() {
    makeFile(this.path);
    this.before = snapshot(this.path);
  }

  quarantine(options: Partial<QuarantineOptions> = {}): RunKind<unknown, unknown, TakenFile> {
    return new RunKind(quarantineKind({ vault: this.files.vault, ...options })) as RunKind<unknown, unknown, TakenFile>;
  }

  /** Nothing was changed, and nothing is left of the attempt. */
  assertUntouched(path: string = this.path): void {
    assert.deepEqual(snapshot(path), this.before);
    if (existsSync(this.files.vault)) assert.deepEqual(readdirSync(this.files.vault), []);
    assert.deepEqual(
      readdirSync(this.directory).filter((name) => name.startsWith('.ringfence')),
      [],
    );
  }

  [Symbol.dispose](): void {
    this.files[Symbol.dispose]();
  }
}

describe('a quarantine is refused', { skip }, () => {
  it('for another inode, hash, change time, device or kind of file than ordered', async () => {
    using target = new Target();
    const { path } = target;
    const quarantine = target.quarantine();
    const order = orderFor(path);
    const other = (more: Record<string, string>): unknown => ({ ...order, ...more });
    const isOther = isRefused('not-the-target', /(another file stands there|SHA-256 is|was changed after)/);
    await assert.rejects(quarantine.plan(other({ inode: '1' })), isOther);
    await assert.rejects(quarantine.plan(other({ device: '1' })), isOther);
    await assert.rejects(quarantine.plan(other({ sha256: 'a'.repeat(64) })), isOther);
    await assert.rejects(quarantine.plan(other({ ctime: '1' })), isOther);
    await assert.rejects(quarantine.plan(other({ generation: '1' })), isRefused('not-the-target', /generation/));
    for (const command of ['mkfifo', 'mkdir']) {
      execFileSync(command, [`${path}-${command}`]);
      const special = quarantine.plan(orderFor(`${path}-${command}`));
      await assert.rejects(special, isRefused('not-the-target', /not a regular file/));
    }
    await assert.rejects(quarantine.plan(orderFor('/dev/null')), isRefused('not-the-target', /not a regular file/));
    symlinkSync(path, `${path}-link`);
    await assert.rejects(
      quarantine.plan(other({ path: `${path}-link` })),
      isRefused('not-the-target', /symbolic link/),
    );
    symlinkSync(target.directory, join(target.files.directory, 'folder'));
    const through = other({ path: join(target.files.directory, 'folder/program') });
    await assert.rejects(quarantine.plan(through), isRefused('not-the-target', /symbolic link/));
    target.assertUntouched();
  });

  it('for a protected file, a large one, and one that is a mount point or in an immutable folder', async () => {
    using target = new Target();
    const { path } = target;
    const { ino } = statSync(path, { bigint: true });
    const guarded = target.quarantine({ isProtected: (_, inode) => inode === ino });
    await assert.rejects(guarded.plan(orderFor(path)), isRefused('protected', /needs it/));
    await assert.rejects(
      target.quarantine({ maxBytes: 100 }).plan(orderFor(path)),
      isRefused('too-large', /limit is 100/),
    );
    const mounted = join(target.directory, 'mounted');
    writeFileSync(mounted, '');
    target.files.mount(mounted, '--bind', path);
    await assert.rejects(target.quarantine().plan(orderFor(mounted)), isRefused('not-possible', /mount point/));
    const fixed = join(target.directory, 'fixed');
    mkdirSync(fixed);
    makeFile(join(fixed, 'program'));
    if (spawnSync('chattr', ['+i', fixed]).status !== 0) return;
    const order = orderFor(join(fixed, 'program'));
    await assert.rejects(target.quarantine().plan(order), isRefused('not-possible', /chattr -ia/));
  });

  it('on a read-only file system, and where the vault has no space or is open to others', async () => {
    using target = new Target();
    execFileSync('mount', ['-o', 'remount,ro', target.directory]);
    await assert.rejects(target.quarantine().run(orderFor(target.path)), isRefused('not-possible', /read-only/));
    execFileSync('mount', ['-o', 'remount,rw', target.directory]);
    const small = join(target.files.directory, 'small');
    mkdirSync(small, { mode: 0o700 });
    target.files.mount(small, '-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'rf-test');
    const large = join(target.directory, 'large');
    makeFile(large, 'x'.repeat(900 << 10));
    const quarantine = target.quarantine({ vault: small });
    await assert.rejects(quarantine.run(orderFor(large)), isRefused('not-possible', /no space for the/));
    writeFileSync(large, 'x'.repeat(600 << 10));
    const filled = quarantine.run(orderFor(large), () => writeFileSync(join(small, 'fill'), 'x'.repeat(600 << 10)));
    await assert.rejects(filled, isRefused('not-possible', /no space/));
    assert.deepEqual(readdirSync(small), ['fill']);
    assert.notEqual(statSync(large).mode & 0o777, 0);
    chmodSync(small, 0o755);
    await assert.rejects(quarantine.plan(orderFor(large)), isRefused('not-possible', /a folder of its own/));
    target.assertUntouched();
  });

  it('when the file is rewritten, replaced or touched between plan and action', async () => {
    using target = new Target();
    const { path } = target;
    const cases: Readonly<Record<string, () => void>> = {
      rewritten: () => writeFileSync(path, 'other'),
      'the same bytes again': () => writeFileSync(path, readFileSync(path)),
      touched: () => utimesSync(path, 1, 1),
      replaced: () => {
        copyFileSync(path, `${path}.new`);
        renameSync(`${path}.new`, path);
      },
      linked: () => {
        renameSync(path, `${path}.aside`);
        symlinkSync(`${path}.aside`, path);
      },
    };
    for (const [name, change] of Object.entries(cases)) {
      const running = target.quarantine().run(orderFor(path), change);
      await assert.rejects(running, isRefused('not-the-target', /(changed meanwhile|another file)/), name);
      assert.notEqual(statSync(path).mode & 0o777, 0);
      assert.deepEqual(readdirSync(target.files.vault), []);
    }
  });

  it('when it is written while it is copied, or after it was denied by who has it open', async () => {
    for (const point of ['begun', 'copied', 'denied']) {
      using target = new Target();
      const fd = openSync(target.path, 'r+');
      const failpoint = (reached: string): void => {
        if (reached === point) writeSync(fd, 'X', 10);
      };
      const running = target.quarantine({ failpoint }).run(orderFor(target.path));
      await assert.rejects(running, isRefused('not-the-target', /changed meanwhile/), point);
      closeSync(fd);
      const { mode, uid, extended } = target.before as Record<string, unknown>;
      const after = snapshot(target.path) as Record<string, unknown>;
      assert.notEqual(after['sha256'], (target.before as Record<string, unknown>)['sha256']);
      // The kernel takes set-id bits and capabilities from a file that is written.
      if (point === 'denied') assert.deepEqual([after['mode'], after['uid'], after['extended']], [mode, uid, extended]);
      assert.notEqual(statSync(target.path).mode & 0o777, 0);
      assert.deepEqual(readdirSync(target.files.vault), []);
    }
  });

  it('when the name is swapped for a moment before it is moved', async () => {
    using target = new Target();
    const failpoint = (reached: string): void => {
      // Later it is frozen, so that nobody can rename it.
      if (reached !== 'copied') return;
      renameSync(target.path, `${target.path}.aside`);
      symlinkSync('/etc/passwd', target.path);
    };
    const passwd = statSync('/etc/passwd').mode;
    const running = target.quarantine({ failpoint }).run(orderFor(target.path));
    await assert.rejects(running, isRefused('not-the-target', /another file/));
    assert.equal(statSync('/etc/passwd').mode, passwd);
    unlinkSync(target.path);
    target.assertUntouched(`${target.path}.aside`);
  });
});

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function attack(how: string, path: string, victim: string): Promise<ChildProcess & AsyncDisposable> {
  const args = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'attacker-child.ts')];
  const child = spawn(process.execPath, [...args, how, path, victim], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return Object.assign(child, { [Symbol.asyncDispose]: () => kill(child) });
}

describe('a quarantine against an attacker', { skip }, () => {
  for (const system of ['same', 'tmpfs'] as const)
    it(`who swaps the name all the time: it takes the file or nothing, never another one (${system})`, async () => {
      using files = new TestFiles();
      const directory = files.make(system);
      const [path, victim] = [join(directory, 'program'), join(directory, 'victim')];
      makeFile(path);
      makeFile(victim, 'precious');
      const { nlink: _, ...before } = snapshot(path) as Record<string, unknown>;
      const precious = snapshot(victim);
      const order = orderFor(path);
      const tally = { executed: 0, refused: 0, gone: 0, failed: 0 };
      const attacker = await attack('swap', path, victim);
      for (let round = 0; round < 60; round++) {
        const quarantine = new RunKind(quarantineKind({ vault: files.vault }));
        try {
          const { outcome } = await quarantine.run(order, () => {}, `command-${round}`);
          tally[outcome]++;
          while (outcome === 'executed' && (await quarantine.undo()).outcome !== 'executed');
        } catch (error) {
          assert.ok(error instanceof ActionRefusedError, String(error));
          assert.ok(['not-the-target', 'not-verifiable'].includes(error.reason), error.message);
          tally.refused++;
        }
        assert.deepEqual(snapshot(victim), precious);
      }
      await kill(attacker);
      assert.ok(tally.refused + tally.gone > 0, JSON.stringify(tally));
      const left = [path, `${path}.aside`].find(
        (name) => existsSync(name) && String(statSync(name).ino) === order['inode'],
      );
      assert.ok(left !== undefined, JSON.stringify([tally, readdirSync(directory)]));
      const { nlink: __, ...after } = snapshot(left) as Record<string, unknown>;
      assert.deepEqual(after, before);
    });

  for (const how of ['rewrite', 'write'])
    it(`who ${how === 'write' ? 'writes on through a descriptor' : 'replaces the file'} all the time`, async () => {
      using target = new Target();
      const { path } = target;
      const order = orderFor(path);
      await using _attacker = await attack(how, path, path);
      for (let round = 0; round < 20; round++) {
        const quarantine = target.quarantine();
        try {
          const { outcome, facts } = await quarantine.run(order, () => {}, `command-${round}`);
          assert.equal(outcome, 'executed');
          const copy = readFileSync(join(facts['vault'] ?? '', facts['sha256'] ?? ''));
          await quarantine.undo();
          assert.ok(copy.length > 0);
        } catch (error) {
          assert.ok(error instanceof ActionRefusedError, String(error));
          assert.equal(error.reason, 'not-the-target');
        }
        if (how === 'write') assert.notEqual(statSync(path).mode & 0o777, 0);
      }
    });

  it('who has it open and writes on: the copy is given back, and what was written is kept apart', async () => {
    using files = new TestFiles();
    const path = join(files.make('same'), 'program');
    makeFile(path);
    const { ...before } = snapshot(path);
    const fd = openSync(path, 'r+');
    const quarantine = new RunKind(quarantineKind({ vault: files.vault }));
    const plan = await quarantine.plan(orderFor(path));
    assert.deepEqual(plan.spared, []);
    const { facts } = await quarantine.run(orderFor(path));
    let isWritten = true;
    try {
      writeSync(fd, 'later', 0);
    } catch {
      isWritten = false;
    }
    closeSync(fd);
    const undone = await quarantine.undo();
    assert.deepEqual(snapshot(path), before);
    assert.equal(undone.facts['restored'], isWritten ? 'new inode' : 'same inode');
    assert.equal(undone.facts['changedFile'], isWritten ? facts['vault'] : undefined);
  });
});

describe('a quarantine', { skip }, () => {
  it('lists the processes that have the file open or run from it, and takes it all the same', async () => {
    using target = new Target();
    const program = join(target.directory, 'sleeper');
    copyFileSync(execFileSync('which', ['sleep'], { encoding: 'utf8' }).trim(), program);
    const running = spawn(program, ['600'], { stdio: 'ignore' });
    const holding = spawn('sh', ['-c', 'exec 9<"$0"; echo; read x', program], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(holding.stdout, 'data');
    const quarantine = target.quarantine();
    const { spared } = await quarantine.plan(orderFor(program));
    assert.ok(
      spared.some((line) => line.startsWith(`process ${running.pid} (sleeper) runs from it`)),
      spared.join(),
    );
    assert.ok(
      spared.some((line) => line.startsWith(`process ${holding.pid} (sh) has it open`)),
      spared.join(),
    );
    assert.equal((await quarantine.run(orderFor(program))).outcome, 'executed');
    assert.equal(running.exitCode, null);
    await quarantine.undo();
    assert.equal(statSync(program).mode & 0o111, 0o111);
    for (const child of [running, holding]) await kill(child);
  });

  it('takes a file of another mount namespace by a process in it, and gives it back through another one', async () => {
    using target = new Target();
    const parent = target.files.make('same', 'namespaces');
    const mounts = new OtherMounts(parent);
    await mounts.run('mount -t tmpfs x "$PWD"; echo');
    const second = spawn('nsenter', ['-t', String(mounts.pid), '-m', 'sh', '-c', 'echo; read x']);
    await once(second.stdout, 'data');
    const inside = join(`/proc/${second.pid}/root`, mounts.directory, 'program');
    makeFile(inside);
    const before = snapshot(inside);
    const order = { ...orderFor(inside), path: join(mounts.directory, 'program'), pid: String(mounts.pid) };
    const quarantine = target.quarantine();
    assert.equal((await quarantine.run(order)).outcome, 'executed');
    assert.equal(existsSync(inside), false);
    await mounts[Symbol.asyncDispose]();
    assert.equal((await quarantine.undo()).outcome, 'executed');
    assert.deepEqual(snapshot(inside), before);
    await quarantine.run({ ...orderFor(inside), path: order.path, pid: String(second.pid) });
    await kill(second);
    const lost = await quarantine.undo();
    assert.equal(lost.outcome, 'failed');
    assert.match(lost.reason, /no longer exists; its content is /);
  });

  it('takes an immutable file, a name that is not UTF-8, and nothing where nothing is', async () => {
    using target = new Target();
    const name = Buffer.concat([Buffer.from(`${target.directory}/`), Buffer.from([0xff, 0x41])]);
    writeFileSync(name, 'x');
    const { ino } = statSync(name, { bigint: true });
    const order = { ...orderFor(target.path), path: `${target.directory}/\\xffA`, inode: String(ino) };
    const quarantine = target.quarantine();
    assert.equal((await quarantine.run(order)).outcome, 'executed');
    assert.equal(existsSync(name), false);
    await quarantine.undo();
    assert.equal(existsSync(name), true);
    assert.equal((await quarantine.run({ ...order, path: `${target.directory}/none` })).outcome, 'gone');
    if (spawnSync('chattr', ['+i', target.path]).status !== 0) return;
    assert.equal((await quarantine.run(orderFor(target.path))).outcome, 'executed');
    await quarantine.undo();
    assert.throws(() => writeFileSync(target.path, 'x'), { code: 'EPERM' });
    execFileSync('chattr', ['-i', target.path]);
    target.assertUntouched();
  });
});

describe('a quarantine of a file that others hold up', { skip }, () => {
  it('waits until a process gives up its lease', async (t) => {
    using target = new Target();
    const script =
      'import fcntl,signal,sys\nf=open(sys.argv[1])\n' +
      'signal.signal(signal.SIGIO, lambda *_: fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_UNLCK))\n' +
      'fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)\nprint("leased", flush=True)\nwhile True: signal.pause()';
    const holder = spawn('python3', ['-c', script, target.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    holder.on('error', () => {});
    if (holder.pid === undefined) return t.skip('python3 is not installed');
    await once(holder.stdout, 'data');
    const quarantine = target.quarantine();
    assert.equal((await quarantine.run(orderFor(target.path))).outcome, 'executed');
    await quarantine.undo();
    target.assertUntouched();
    await kill(holder);
  });

  it('is refused on a file system in user space, which is asked nothing', async (t) => {
    using target = new Target();
    const server = join(target.files.directory, 'silent-fuse');
    const cannot = silentFuseSkip(server);
    if (cannot !== false) return t.skip(cannot);
    const mounts = new OtherMounts(target.files.make('same', 'namespaces'));
    try {
      await mounts.run(`mkdir way; ${server} way lookups &`);
      const path = join(mounts.directory, 'way/program');
      const order = { ...orderFor(target.path), path, pid: String(mounts.pid) };
      await assert.rejects(target.quarantine().plan(order), isRefused('not-possible', /serves its file system/));
    } finally {
      await mounts[Symbol.asyncDispose]();
    }
  });
});
