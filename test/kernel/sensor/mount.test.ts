import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { SensorRecord } from '@ringfence/testkit/sensor';
import { callerUnlessFull, recordsOf, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';
import { records } from '@ringfence/wire';

const [ENOENT, EBADF, EINVAL, ENODEV, ENOTDIR] = [-2, -9, -22, -19, -20];
const [MS_RDONLY, MS_REMOUNT, MS_BIND, MS_MOVE] = [1, 32, 4096, 8192];
const MNT_DETACH = 2;

type Operation = keyof typeof records.MountOperation extends `MOUNT_${infer Name}` ? Name : never;

/** What a record should say; what isn't named is 0 or empty. `result` 'descriptor': some descriptor; 'error': some error. */
interface Expected {
  readonly operation: Operation;
  readonly result?: number | 'descriptor' | 'error';
  readonly caller?: 0 | 1;
  readonly source?: string;
  readonly target?: string;
  readonly filesystem?: string;
  readonly options?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** What it is where there is one of them, however it is called. */
function resultOf(expected: Expected['result'], found: number): number {
  if (expected === 'descriptor') return Math.max(0, found);
  return expected === 'error' ? Math.min(-1, found) : (expected ?? 0);
}

/** The full profile has hooks for these. */
const BY_KERNEL: ReadonlySet<string> = new Set(['MOUNT', 'UMOUNT', 'MOVE_MOUNT']);

describe('changes of mounts on the running kernel', { skip }, () => {
  let full: boolean;
  let sensor: TestSensor;
  let scratch: Scratch;
  let mount: string;
  let directory: string;
  before(async () => {
    scratch = new Scratch();
    mount = scratch.compile('mount');
    sensor = await TestSensor.start();
    full = (await callerUnlessFull()) === 0;
  });
  beforeEach(() => {
    directory = join(scratch.path, 'mounts');
    rmSync(directory, { recursive: true, force: true });
    for (const name of ['a', 'b']) mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, 'file'), '');
    // nothing is watched: all of this goes out
    sensor.control({ watched_heads: [0, 0], nothing_named: 1 });
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** In the full profile the kernel tells what was mounted where, if the call got so far; which path is bound elsewhere only its caller does. */
  function isKernels({ operation, result = 0, source = '' }: Expected, found: SensorRecord | undefined): boolean {
    const must = result === 0 && BY_KERNEL.has(operation) && !(operation === 'MOUNT' && source.startsWith('@'));
    return full && (must || found?.fields['source_caller'] === 0);
  }

  /** As `words` have it; a path that the kernel tells has no detours. */
  function toldTexts(texts: object, byKernel: boolean): { [name: string]: string } {
    const whole = (text: string): string => text.replaceAll('@', directory);
    return Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [
        name,
        byKernel && text.startsWith('@') ? normalize(whole(text)) : whole(text),
      ]),
    );
  }

  /** But for the program's own first. */
  async function changes(words: string): Promise<SensorRecord[]> {
    const args = words.split(' ').map((word) => word.replaceAll('@', directory));
    const [first, ...rest] = recordsOf(await sensor.run(mount, args, { cwd: directory }), 'rf_mount_change');
    assert.equal(first?.texts['target']?.bytes.toString(), '/');
    return rest;
  }

  async function expect(words: string, ...expected: readonly Expected[]): Promise<void> {
    const found = await changes(words);
    assert.deepEqual(
      found.map(({ texts, fields }) => ({
        ...fields,
        ...Object.fromEntries(Object.entries(texts).map(([name, { bytes }]) => [name, bytes.toString()])),
      })),
      expected.map((one, index) => {
        const { operation, result = 0, caller, fields, ...texts } = one;
        const byKernel = isKernels(one, found[index]);
        return {
          operation: records.MountOperation[`MOUNT_${operation}`],
          result: resultOf(result, Number(found[index]?.fields['result'])),
          flags: 0,
          source_caller: caller ?? (byKernel ? 0 : 1),
          attributes: 0,
          cleared: 0,
          ...fields,
          source: '',
          target: '',
          filesystem: '',
          options: '',
          ...toldTexts(texts, byKernel),
        };
      }),
      words,
    );
    for (const { lane } of found) assert.equal(lane, SECURITY);
  }

  test('a mount is reported with device, mount point, file system and options', async () => {
    await expect('mount none a tmpfs 1 size=4k', {
      operation: 'MOUNT',
      source: 'none',
      target: '@/a',
      filesystem: 'tmpfs',
      options: 'size=4k',
      fields: { flags: MS_RDONLY },
    });
    await expect('mount /dev/nothing a/../b no-such-type 0 -', {
      operation: 'MOUNT',
      result: ENODEV,
      source: '/dev/nothing',
      target: '@/a/../b',
      filesystem: 'no-such-type',
    });
  });

  test('a bind mount is reported with the path that it shows, and its remount', async () => {
    await expect(
      `mount a b - ${MS_BIND} - , mount - b - ${MS_REMOUNT | MS_BIND | MS_RDONLY} - , mount missing b - ${MS_BIND} -`,
      { operation: 'MOUNT', source: '@/a', target: '@/b', fields: { flags: MS_BIND } },
      { operation: 'MOUNT', target: '@/b', fields: { flags: MS_REMOUNT | MS_BIND | MS_RDONLY } },
      { operation: 'MOUNT', result: ENOENT, source: '@/missing', target: '@/b', fields: { flags: MS_BIND } },
    );
    await expect(
      `mount none a tmpfs 0 - , mount a b - ${MS_MOVE} -`,
      { operation: 'MOUNT', source: 'none', target: '@/a', filesystem: 'tmpfs' },
      { operation: 'MOUNT', source: '@/a', target: '@/b', fields: { flags: MS_MOVE } },
    );
  });

  test('options that carry passwords stay where they are', async () => {
    for (const type of ['cifs', 'smb3'])
      await expect(`mount //host/share a ${type} 0 user=x,password=secret`, {
        operation: 'MOUNT',
        // a kernel may have it, as a module
        result: 'error',
        source: '//host/share',
        target: '@/a',
        filesystem: type,
      });
  });

  test('an unmount is reported with its flags', async () => {
    await expect(
      `mount none a tmpfs 0 - , umount a ${MNT_DETACH} , umount a 0`,
      { operation: 'MOUNT', source: 'none', target: '@/a', filesystem: 'tmpfs' },
      { operation: 'UMOUNT', target: '@/a', fields: { flags: MNT_DETACH } },
      { operation: 'UMOUNT', target: '@/a', result: EINVAL },
    );
  });

  test('a mount that moves is reported with where from; a new one with what it is', async () => {
    await expect(
      'mount none a tmpfs 0 - , move a b , move missing b',
      { operation: 'MOUNT', source: 'none', target: '@/a', filesystem: 'tmpfs' },
      { operation: 'MOVE_MOUNT', source: '@/a', target: '@/b' },
      { operation: 'MOVE_MOUNT', source: '@/missing', target: '@/b', result: ENOENT },
    );
    const [, , moved] = await changes('move-new a');
    assert.equal(moved?.fields['result'], 0);
    const text = (name: string): string | undefined => moved?.texts[name]?.bytes.toString();
    assert.deepEqual(
      [text('source'), text('filesystem'), text('target')],
      ['the-source', 'tmpfs', join(directory, 'a')],
    );
  });

  test('a pivot_root is reported with both roots', async () => {
    await expect(
      `mount a a - ${MS_BIND} - , pivot @/a @/a`,
      { operation: 'MOUNT', source: '@/a', target: '@/a', fields: { flags: MS_BIND } },
      { operation: 'PIVOT_ROOT', source: '@/a', target: '@/a' },
    );
    await expect('pivot a missing', { operation: 'PIVOT_ROOT', source: '@/missing', target: '@/a', result: ENOENT });
  });

  test("a chroot is reported with the kernel's path of the new root, also from below another", async () => {
    await expect(
      'chroot ./b/../ , chroot a , chroot missing , chroot /b',
      { operation: 'CHROOT', target: '@', caller: 0 },
      { operation: 'CHROOT', target: '@/a', caller: 0 },
      { operation: 'CHROOT', target: '@/missing', result: ENOENT },
      { operation: 'CHROOT', target: '@/a/b', result: ENOENT },
    );
    await expect('chroot file', { operation: 'CHROOT', target: '@/file', result: ENOTDIR });
  });

  test('a copy of a mount tree is reported with what it shows', async () => {
    const flags = 1;
    const tree = { operation: 'OPEN_TREE', result: 'descriptor', source: '@/a', fields: { flags } } as const;
    await expect('tree a', tree);
    await expect('tree-empty a', { ...tree, fields: { flags: 0x1000 } });
    await expect('tree missing', { ...tree, source: '@/missing', result: ENOENT, fields: { flags } });
    if (sensor.missing.has('open_tree_attr_exit')) return; // it is newer than the kernel
    const withAttributes = { ...tree, fields: { flags, attributes: 1, cleared: 2 } };
    await expect('tree-attributes a', withAttributes);
    await expect('tree-attributes missing', { ...withAttributes, source: '@/missing', result: ENOENT });
  });

  test('a new file system is reported by its kind, and when it can be mounted by what it is', async () => {
    const opened = { operation: 'FSOPEN', result: 'descriptor', filesystem: 'tmpfs', fields: { flags: 1 } } as const;
    await expect('fsopen tmpfs', opened);
    await expect('fsopen no-such-type', { ...opened, filesystem: 'no-such-type', result: ENODEV });
    await expect('fsmount', opened, {
      operation: 'FSMOUNT',
      result: 'descriptor',
      caller: 0,
      source: 'the-source',
      filesystem: 'tmpfs',
      fields: { flags: 1, attributes: 8 },
    });
    await expect('fsmount-none', { operation: 'FSMOUNT', result: EBADF, caller: 0, fields: { attributes: 8 } });
  });

  test('attributes of a mount that are set and cleared are reported', async () => {
    const fields = { attributes: 1, cleared: 2 };
    await expect(
      `mount a a - ${MS_BIND} - , attributes a , attributes missing`,
      { operation: 'MOUNT', source: '@/a', target: '@/a', fields: { flags: MS_BIND } },
      { operation: 'MOUNT_SETATTR', target: '@/a', fields },
      { operation: 'MOUNT_SETATTR', target: '@/missing', result: ENOENT, fields },
    );
  });
});
