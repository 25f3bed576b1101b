import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLog } from '@ringfence/base';
import type { FileKey, WatchedFile } from '@ringfence/sensor';
import { FileWatch } from '../src/file-watch.ts';
import { identifyOpenFiles, keyOf } from './open-files.ts';

describe('the files that give access to a host', () => {
  let root: string;
  let files: ReadonlyMap<string, WatchedFile>;
  let generation: number;
  let watch: FileWatch;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'ringfence-files-'));
    files = new Map();
    generation = 1;
    put('etc/passwd', 'root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n');
    put('etc/shadow');
    put('home/ann/.ssh/authorized_keys');
    watch = new FileWatch({
      hostRoot: root,
      stateDir: join(root, 'state'),
      table: {
        set(now) {
          files = now;
          return true;
        },
      },
      identify: () => identifyOpenFiles(generation),
      log: silentLog,
    });
    watch.start();
    await watch.settled();
  });
  afterEach(() => {
    watch.close();
    rmSync(root, { recursive: true });
  });

  function put(name: string, text = 'x'): void {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }

  const inodeOf = (name: string): bigint => statSync(join(root, name), { bigint: true }).ino;
  const keysOf = (path: string): readonly FileKey[] => files.get(path)?.keys ?? [];
  const tick = (): Promise<void> => {
    watch.tick();
    return watch.settled();
  };
  const search = async (): Promise<void> => {
    for (let count = 0; count < 10; count++) await tick();
  };

  it('are found by their paths, in the homes of users too', () => {
    assert.deepEqual([...files.keys()].sort(), ['/etc/passwd', '/etc/shadow', '/home/ann/.ssh/authorized_keys']);
    assert.deepEqual(keysOf('/etc/shadow'), [keyOf(inodeOf('etc/shadow'))]);
  });

  it('are found later, when they are created', async () => {
    put('etc/sudoers.d/ann');
    put('root/.aws/credentials');
    await search();
    assert.ok(files.has('/etc/sudoers.d/ann') && files.has('/root/.aws/credentials'));
  });

  it('are followed when another file replaces them, and the former file stays known', async () => {
    const before = inodeOf('etc/shadow');
    linkSync(join(root, 'etc/shadow'), join(root, 'etc/kept'));
    put('etc/nshadow');
    renameSync(join(root, 'etc/nshadow'), join(root, 'etc/shadow'));
    await tick();
    assert.deepEqual(keysOf('/etc/shadow'), [keyOf(inodeOf('etc/shadow')), keyOf(before)]);
  });

  it('stay known when they are renamed', async () => {
    const before = inodeOf('etc/shadow');
    renameSync(join(root, 'etc/shadow'), join(root, 'etc/hidden'));
    await search();
    assert.deepEqual(keysOf('/etc/shadow'), [keyOf(before)]);
  });

  it('are forgotten when they are replaced on a file system that uses numbers again', async () => {
    generation = 0;
    put('etc/nshadow');
    renameSync(join(root, 'etc/nshadow'), join(root, 'etc/shadow'));
    await tick();
    put('etc/nshadow');
    renameSync(join(root, 'etc/nshadow'), join(root, 'etc/shadow'));
    await tick();
    assert.equal(keysOf('/etc/shadow').filter((key) => key[12] === 0).length, 1);
  });

  it('are wanted for reading only where a rule asks for them, and a file that a setting names is one of them', async () => {
    put('srv/secret');
    watch.want(['/srv/secret', '/srv/none'], (path) => path !== '/etc/passwd');
    await watch.settled();
    const reads = [...files].filter(([, file]) => file.reads).map(([path]) => path);
    assert.deepEqual(reads.sort(), ['/etc/shadow', '/home/ann/.ssh/authorized_keys', '/srv/secret']);
  });
});
