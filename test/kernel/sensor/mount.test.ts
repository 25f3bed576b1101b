import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  callerUnlessFull,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { records } from '@ringfence/wire';

const [ENOENT, EBADF, EINVAL, ENODEV, ENOTDIR] = [-2, -9, -22, -19, -20];
const [MS_RDONLY, MS_REMOUNT, MS_BIND, MS_MOVE] = [1, 32, 4096, 8192];
const MNT_DETACH = 2;

type Operation = keyof typeof records.MountOperation extends `MOUNT_${infer Name}` ? Name : never;

/**
 * Expected record. Fields that are not given are 0 or empty. `result`: 'descriptor' for any descriptor, 'error' for any
 * error.
 */
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

/** Returns the actual result if it is of the expected kind. */
function resultOf(expected: Expected['result'], found: number): number {
  if (expected === 'descriptor') return Math.max(0, found);
  return expected === 'error' ? Math.min(-1, found) : (expected ?? 0);
}

/** operations with hooks in the full profile */
const BY_KERNEL: ReadonlySet<string> = new Set(['MOUNT', 'UMOUNT', 'MOVE_MOUNT']);

describe('mount changes on the running kernel', { skip }, () => {
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
    // mount changes are sent although nothing is watched
    sensor.control({ watched_heads: [0, 0], nothing_named: 1 });
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /**
   * In the full profile, paths come from the kernel if the call got that far, except for the source of a bind mount.
   */
  function isKernels({ operation, result = 0, source = '' }: Expected, found: SensorRecord | undefined): boolean {
    const must = result === 0 && BY_KERNEL.has(operation) && !(operation === 'MOUNT' && source.startsWith('@'));
    return full && (must || found?.fields['source_caller'] === 0);
  }

  /** Replaces `@` by the directory. Paths from the kernel are normalized. */
  function expectedTexts(texts: object, byKernel: boolean): { [name: string]: string } {
    const whole = (text: string): string => text.replaceAll('@', directory);
    return Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [
        name,
        byKernel && text.startsWith('@') ? normalize(whole(text)) : whole(text),
      ]),
    );
  }

  /** Returns the changes after the program's own first one. */
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
      expected.map((change, index) => {
        const { operation, result = 0, caller, fields, ...texts } = change;
        const byKernel = isKernels(change, found[index]);
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
          ...expectedTexts(texts, byKernel),
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

  test('a bind mount and its remount are reported with the bound path', async () => {
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

  test('mount options that can contain passwords are not reported', async () => {
    for (const type of ['cifs', 'smb3'])
      await expect(`mount //host/share a ${type} 0 user=x,password=secret`, {
        operation: 'MOUNT',
        // the file system may exist as a module
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

  test('move_mount is reported with the source of a moved mount, and with the file system of a new one', async () => {
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

  test("a chroot is reported with the kernel's path of the new root, even inside another chroot", async () => {
    await expect(
      'chroot ./b/../ , chroot a , chroot missing , chroot /b',
      { operation: 'CHROOT', target: '@', caller: 0 },
      { operation: 'CHROOT', target: '@/a', caller: 0 },
      { operation: 'CHROOT', target: '@/missing', result: ENOENT },
      { operation: 'CHROOT', target: '@/a/b', result: ENOENT },
    );
    await expect('chroot file', { operation: 'CHROOT', target: '@/file', result: ENOTDIR });
  });

  test('a copied mount tree is reported with its path', async () => {
    const flags = 1;
    const tree = { operation: 'OPEN_TREE', result: 'descriptor', source: '@/a', fields: { flags } } as const;
    await expect('tree a', tree);
    await expect('tree-empty a', { ...tree, fields: { flags: 0x1000 } });
    await expect('tree missing', { ...tree, source: '@/missing', result: ENOENT, fields: { flags } });
    if (sensor.missing.has('open_tree_attr_exit')) return; // the kernel is older than the call
    const withAttributes = { ...tree, fields: { flags, attributes: 1, cleared: 2 } };
    await expect('tree-attributes a', withAttributes);
    await expect('tree-attributes missing', { ...withAttributes, source: '@/missing', result: ENOENT });
  });

  test('a new file system is reported with its type when it is opened and with its source when it is mountable', async () => {
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

  test('set and cleared mount attributes are reported', async () => {
    const fields = { attributes: 1, cleared: 2 };
    await expect(
      `mount a a - ${MS_BIND} - , attributes a , attributes missing`,
      { operation: 'MOUNT', source: '@/a', target: '@/a', fields: { flags: MS_BIND } },
      { operation: 'MOUNT_SETATTR', target: '@/a', fields },
      { operation: 'MOUNT_SETATTR', target: '@/missing', result: ENOENT, fields },
    );
  });
});
