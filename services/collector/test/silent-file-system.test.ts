/** Plays an attacker who covers the folders that the agent looks into with file systems that never answer. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { OtherMounts, silentFuseSkip } from '@ringfence/testkit/silent-file-system';

const directory = mkdtempSync(join(tmpdir(), 'rf-silent-'));
const server = join(directory, 'silent-fuse');
after(() => rmSync(directory, { recursive: true, force: true }));

/** Ample for a loaded machine: the agent of a covered folder would never answer. */
const ANSWER_MAX_MS = 60_000;
const SSH = '/home/ann/.ssh';
const KEYS = `${SSH}/authorized_keys`;

interface Answer {
  /** By path: of the file, and of the files that it was before */
  readonly inodes: Readonly<Record<string, readonly string[]>>;
  readonly stuck: number;
}

/** A host whose files a process follows, with the mounts of an attacker. */
class WatchedHost implements AsyncDisposable {
  readonly #mounts = new OtherMounts(directory);
  readonly #root = join(this.#mounts.directory, 'host');
  #child: ChildProcess | undefined;
  #lines: AsyncIterator<string> | undefined;

  /** Starts the process. Returns what it follows. */
  async start(): Promise<Answer> {
    for (const path of ['/etc/passwd', '/etc/shadow', KEYS, `${SSH}/id_rsa`]) {
      mkdirSync(dirname(join(this.#root, path)), { recursive: true });
      writeFileSync(join(this.#root, path), 'ann:x:1000:1000::/home/ann:/bin/sh\n');
    }
    await this.run('echo started');
    const program = join(import.meta.dirname, 'programs/file-watch-child.ts');
    const node = [process.execPath, '--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', program];
    const child = spawn('nsenter', ['-m', '-t', String(this.#mounts.pid), '--', ...node, this.#root], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return this.#answer();
  }

  /** Runs a command of the attacker, and returns when it has printed a line. */
  run(command: string): Promise<void> {
    return this.#mounts.run(command);
  }

  async #answer(): Promise<Answer> {
    const timeout = new Promise<never>((_, reject) =>
      setTimeout(reject, ANSWER_MAX_MS, new Error('the process waits for the file system')).unref(),
    );
    const line = await Promise.race([this.#lines?.next(), timeout]);
    return JSON.parse(line?.value) as Answer;
  }

  /** Returns what is followed after ten more ticks. */
  tick(): Promise<Answer> {
    this.#child?.stdin?.write('\n');
    return this.#answer();
  }

  inodeOf(path: string): string {
    return String(statSync(join(this.#root, path), { bigint: true }).ino);
  }

  replace(path: string): void {
    writeFileSync(join(this.#root, 'new'), 'x');
    renameSync(join(this.#root, 'new'), join(this.#root, path));
  }

  /** Ends the input of the process. Returns its exit status. */
  async end(): Promise<number | null> {
    if (this.#child === undefined) return null;
    const closed = this.#child.exitCode === null ? once(this.#child, 'close') : undefined;
    this.#child.stdin?.end();
    await closed;
    return this.#child.exitCode;
  }

  /** The file systems end first: while they hold a thread, the process can't end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mounts[Symbol.asyncDispose]();
    await this.end();
  }
}

describe('the files that give access, when a file system does not answer', { skip: silentFuseSkip(server) }, () => {
  it('are followed while it covers one of their folders, whose files stay known', async () => {
    await using host = new WatchedHost();
    const before = await host.start();
    assert.deepEqual(before.inodes[KEYS], [host.inodeOf(KEYS)]);
    await host.run(`${server} host${SSH} lookups &`);
    const former = host.inodeOf('/etc/shadow');
    host.replace('/etc/shadow');
    const { inodes, stuck } = await host.tick();
    assert.deepEqual(inodes['/etc/shadow'], [host.inodeOf('/etc/shadow'), former]);
    assert.deepEqual(inodes[KEYS], before.inodes[KEYS]);
    assert.equal(stuck, 0, 'it was asked for nothing');
    assert.equal(await host.end(), 7);
  });

  it('are followed while it lies beneath a local file system, where one look-up waits for it', async () => {
    await using host = new WatchedHost();
    const before = await host.start();
    await host.run(`mkdir lower upper; ${server} lower lookups &`);
    await host.run(`mount -t overlay x -o lowerdir=lower:upper host${SSH}; echo done`);
    for (let round = 0; round < 2; round++) {
      host.replace('/etc/shadow');
      const { inodes, stuck } = await host.tick();
      assert.equal(inodes['/etc/shadow']?.[0], host.inodeOf('/etc/shadow'));
      assert.deepEqual(inodes[KEYS], before.inodes[KEYS]);
      assert.equal(stuck, 1, 'its folder is avoided after the first look-up');
    }
  });
});
