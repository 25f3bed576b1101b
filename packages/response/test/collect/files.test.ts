import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { OtherMounts, silentFuseSkip } from '@ringfence/testkit/silent-file-system';
import { verifyStore } from '../../src/collect/verify-store.ts';
import { ActionRefusedError } from '../../src/errors.ts';
import { findProcess, Lab } from './lab.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const refusedAs = (reason: string, message: RegExp) => (error: unknown) =>
  error instanceof ActionRefusedError && error.reason === reason && message.test(error.message);

interface Listed {
  readonly path: string;
  readonly type: string;
  readonly target?: string;
  readonly mount?: boolean;
}

const listingOf = (lab: Lab): Listed[] => {
  const text = lab.contentOf(lab.lastCollection().items.find(({ kind }) => kind === 'listing')).toString();
  return text === ''
    ? []
    : text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Listed);
};

describe('the collection of a file', () => {
  it('holds its bytes and what it is, and leaves its time of access as it was', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'file');
    const bytes = Buffer.alloc(9 << 20, 'evidence');
    writeFileSync(path, bytes);
    execFileSync('touch', ['-a', '-d', '2001-01-01', path]);
    const { collection } = await lab.collect({ what: 'file', path });
    const [item] = collection.items;
    assert.equal(item?.sha256, sha256(bytes));
    assert.equal(item?.source['inode'], String(statSync(path).ino));
    assert.deepEqual(item?.notes, []);
    assert.equal(statSync(path).atime.getFullYear(), 2001);
  });

  it('is refused for what is no regular file, without opening it', async () => {
    using lab = new Lab();
    const fifo = join(lab.directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    await assert.rejects(lab.plan({ what: 'file', path: fifo }), refusedAs('not-possible', /is a FIFO/));
    const socket = join(lab.directory, 'socket');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    await assert.rejects(lab.plan({ what: 'file', path: socket }), refusedAs('not-possible', /is a socket/));
    server.close();
    await assert.rejects(
      lab.plan({ what: 'file', path: '/dev/zero' }),
      refusedAs('not-possible', /is a character device/),
    );
    await assert.rejects(lab.plan({ what: 'file', path: lab.directory }), refusedAs('not-possible', /is a directory/));
    await assert.rejects(lab.plan({ what: 'directory', path: fifo }), refusedAs('not-possible', /is a FIFO/));
  });

  it('is refused when a link has taken the place of the file, or of a folder on its way', async () => {
    using lab = new Lab();
    const folder = join(lab.directory, 'folder');
    mkdirSync(folder);
    const path = join(folder, 'file');
    writeFileSync(path, 'the evidence');
    const plan = await lab.plan({ what: 'file', path });
    renameSync(path, `${path}.aside`);
    symlinkSync('/etc/shadow', path);
    await assert.rejects(lab.apply(plan), refusedAs('not-possible', /a link lies on its way/));
    rmSync(path);
    renameSync(folder, `${folder}.aside`);
    symlinkSync('/etc', folder);
    await assert.rejects(lab.plan({ what: 'file', path: join(folder, 'shadow') }), refusedAs('not-possible', /link/));
  });

  it('is refused when another file has the name that the command gave with its inode', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'file');
    writeFileSync(path, 'the evidence');
    const inode = String(statSync(path).ino);
    const plan = await lab.plan({ what: 'file', path, inode });
    writeFileSync(`${path}.other`, 'something else');
    renameSync(`${path}.other`, path);
    await assert.rejects(lab.apply(plan), refusedAs('not-the-target', /not the one of the command/));
  });

  it('ends with a file that grows for ever, and says that it grew', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'growing');
    writeFileSync(path, Buffer.alloc(64 << 20, 1));
    const grower = spawn('sh', ['-c', `while :; do head -c 1000000 /dev/zero; done >> ${path}`]);
    try {
      const size = statSync(path).size;
      while (statSync(path).size === size) await new Promise((resolve) => setImmediate(resolve));
      const { outcome, collection } = await lab.collect({ what: 'file', path, bytes: '200000000' });
      assert.equal(outcome.outcome, 'executed');
      assert.equal(
        collection.items[0]?.notes.some((note) => /grew|cut after/.test(note)),
        true,
        `${collection.items[0]?.notes}`,
      );
    } finally {
      grower.kill('SIGKILL');
      await once(grower, 'exit');
    }
  });

  it('says that a file was truncated while it was read', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'shrinking');
    const fill = (): void => writeFileSync(path, Buffer.alloc(200 << 20, 1));
    fill();
    const plan = await lab.plan({ what: 'file', path });
    const watch = setInterval(() => {
      const [incoming = ''] = readdirSync(join(lab.evidence, 'incoming'));
      const parts = incoming === '' ? [] : readdirSync(join(lab.evidence, 'incoming', incoming));
      if (parts.some((name) => name.endsWith('.part'))) truncateSync(path, 1000);
    }, 1);
    const { collection } = await lab.apply(plan);
    clearInterval(watch);
    const notes = collection.items[0]?.notes.join('; ') ?? '';
    assert.match(notes, /became shorter|was changed/);
  });

  it('holds the data of a sparse file, with a map of where it belongs', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'sparse');
    const fd = openSync(path, 'w');
    ftruncateSync(fd, 2 ** 40);
    writeSync(fd, 'far behind the hole', 2 ** 39);
    closeSync(fd);
    const { outcome, collection } = await lab.collect({ what: 'file', path });
    assert.equal(outcome.facts['end'], 'complete');
    const data = collection.items.find(({ kind }) => kind === 'file-data');
    assert.equal(lab.contentOf(data).includes('far behind the hole'), true);
    const map = JSON.parse(lab.contentOf(collection.items.find(({ kind }) => kind === 'file-map')).toString());
    assert.equal(map.start, 2 ** 39);
    assert.equal(data !== undefined && data.size < 1 << 20, true);
  });

  it('ends with a file of /proc, whose size is 0', async () => {
    using lab = new Lab();
    const { collection } = await lab.collect({ what: 'file', path: '/proc/meminfo' });
    assert.match(lab.contentOf(collection.items[0]).toString(), /^MemTotal:/);
  });
});

describe('the collection of a directory', () => {
  it('lists names with any bytes, links and special files, and holds the small files', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'tree');
    mkdirSync(join(path, 'sub'), { recursive: true });
    writeFileSync(join(path, 'a\nb'), 'newline');
    writeFileSync(Buffer.concat([Buffer.from(`${path}/sub/`), Buffer.from([0xff, 0xfe])]), 'no UTF-8');
    writeFileSync(join(path, 'large'), Buffer.alloc(2000));
    symlinkSync('/etc/shadow', join(path, 'link'));
    execFileSync('mkfifo', [join(path, 'fifo')]);
    const { collection } = await lab.collect({ what: 'directory', path, contents: '1000' });
    const listed = listingOf(lab);
    assert.deepEqual(listed.map((entry) => entry.path).sort(), [
      'a\\x0ab',
      'fifo',
      'large',
      'link',
      'sub',
      'sub/\\xff\\xfe',
    ]);
    assert.equal(listed.find((entry) => entry.path === 'link')?.target, '/etc/shadow');
    const files = collection.items.filter(({ kind }) => kind === 'file');
    assert.deepEqual(files.map((file) => lab.contentOf(file).toString()).sort(), ['newline', 'no UTF-8']);
    const { collection: again } = await lab.collect({
      what: 'file',
      path: files.find(({ name }) => name.includes('xff'))?.name ?? '',
    });
    assert.equal(lab.contentOf(again.items[0]).toString(), 'no UTF-8', 'the text of a path names the file');
  });

  it('does not leave its mount, nor follow a folder that is swapped for a link while it is walked', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'tree');
    for (let i = 0; i < 300; i++) mkdirSync(join(path, `d${i}`), { recursive: true });
    const aside = join(lab.directory, 'aside');
    const swap = `while :; do mv ${path}/d7 ${aside}; ln -s /etc ${path}/d7; rm ${path}/d7; mv ${aside} ${path}/d7; done`;
    const swapper = spawn('sh', ['-c', swap], { stdio: 'ignore' });
    try {
      for (let round = 0; round < 5; round++) {
        await lab.collect({ what: 'directory', path, contents: '100000' });
        assert.equal(
          listingOf(lab).some((entry) => entry.path.includes('passwd')),
          false,
        );
      }
    } finally {
      swapper.kill('SIGKILL');
      await once(swapper, 'exit');
    }
    await lab.collect({ what: 'directory', path: '/proc/self' }).catch((error) => assert.match(error.message, /link/));
    await lab.collect({ what: 'directory', path: '/sys/fs', entries: '1000' });
    assert.equal(
      listingOf(lab).some((entry) => entry.mount === true),
      true,
      'bpf or cgroup is another mount',
    );
  });

  it('lists as many of 1,000,000 entries as it may, from the mounts of a process', async () => {
    using lab = new Lab({ limits: { seconds: 120 } });
    await using mounts = new OtherMounts(lab.directory);
    await mounts.run('mkdir many && mount -t tmpfs -o nr_inodes=0,size=2g x many && echo mounted');
    const fill = 'import os\nfor i in range(1000000): os.close(os.open("many/%d" % i, os.O_CREAT))\nprint("done")';
    await mounts.run(`python3 -c '${fill}'`);
    const within = { pid: String(mounts.pid), start: String(findProcess(mounts.pid)?.start) };
    const path = join(mounts.directory, 'many');
    const { collection } = await lab.collect({ what: 'directory', path, ...within });
    assert.equal(listingOf(lab).length, 100_000);
    assert.deepEqual(collection.items[0]?.notes, ['cut: the directory has more entries than may be listed']);
    const { outcome } = await lab.collect({
      what: 'directory',
      path,
      ...within,
      entries: '2000000',
      bytes: '20000000',
    });
    assert.equal(outcome.facts['cut'], 'its limit of bytes');
  });
});

const scratch = mkdtempSync(join(tmpdir(), 'rf-collect-fuse-'));
const server = join(scratch, 'silent-fuse');
after(() => rmSync(scratch, { recursive: true }));

describe('a file system that never answers', { skip: silentFuseSkip(server) }, () => {
  it('holds up neither the agent nor the command for longer than its limit', async () => {
    using lab = new Lab({ limits: { stallMs: 2500 } });
    await using mounts = new OtherMounts(lab.directory);
    await mounts.run(`mkdir silent; sleep infinity | ${server} silent reads &`);
    const within = { pid: String(mounts.pid), start: String(findProcess(mounts.pid)?.start) };
    const path = join(mounts.directory, 'silent/file');
    const plan = await lab.plan({ what: 'file', path, ...within });
    let turns = 0;
    const ticks = setInterval(() => turns++, 10);
    const { outcome, collection } = await lab.apply(plan);
    clearInterval(ticks);
    assert.equal(turns > 20, true, 'the agent went on meanwhile');
    assert.equal(outcome.outcome, 'failed');
    assert.match(outcome.reason, /nothing came for 2500 ms/);
    assert.deepEqual(collection.items, []);
    assert.equal(lab.kind.abandoned, 0, 'the reading process could be killed');
    assert.deepEqual(readdirSync(join(lab.evidence, 'incoming')), []);
    assert.deepEqual((await verifyStore(lab.evidence, lab.key.publicKey)).problems, []);
  });

  it('is not entered by the listing of the folder above it', async () => {
    using lab = new Lab({ limits: { stallMs: 5000 } });
    await using mounts = new OtherMounts(lab.directory);
    await mounts.run(`mkdir silent; touch beside; sleep infinity | ${server} silent lookups &`);
    const within = { pid: String(mounts.pid), start: String(findProcess(mounts.pid)?.start) };
    const { outcome } = await lab.collect({ what: 'directory', path: mounts.directory, ...within, contents: '1000' });
    assert.equal(outcome.outcome, 'executed', outcome.reason);
    assert.deepEqual(
      listingOf(lab)
        .map(({ path, mount }) => [path, mount ?? false])
        .sort(),
      [
        ['beside', false],
        ['silent', true],
      ],
    );
    assert.equal(lab.kind.abandoned, 0);
  });
});
