/**
 * System calls that change the machine, in a guest with a stock kernel. system.test.ts and module.test.ts test failed
 * calls.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { constants, release } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { recordsOf, Scratch, SECURITY, skip, skipOutsideGuest, TestSensor } from '@ringfence/testkit/sensor';
import { records as layout } from '@ringfence/wire';
import { type SystemChange, systemChanges } from './system-changes.ts';

const { EEXIST } = constants.errno;
const { ModuleOperation: OPERATION, ModuleName: NAME } = layout;
/** A driver of virtual network devices, which depends on no other module. */
const MODULE = 'dummy';
const TICK = 0x4000n;
const FREQUENCY = 2n;
const USER_QUOTA_OFF = 0x8000_0300n;
const CAD_OFF = 0n;

describe('changes of the whole machine', { skip: skipOutsideGuest || skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let machine: string;
  before(async () => {
    scratch = new Scratch();
    machine = scratch.compile('machine');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const changesOf = async (...args: string[]): Promise<SystemChange[]> =>
    systemChanges(await sensor.run(machine, args));
  const shown = ({ operation, result, arguments: values }: SystemChange): unknown[] => [operation, result, ...values];

  /** Writes Debian's module, which may be compressed, to a file of the test. */
  function moduleFile(): string {
    const packed = `/lib/modules/${release()}/kernel/drivers/net/${MODULE}.ko`;
    const file = join(scratch.path, `${MODULE}.ko`);
    const bytes = existsSync(packed)
      ? execFileSync('cat', [packed], { maxBuffer: 1 << 24 })
      : execFileSync('busybox', ['xzcat', `${packed}.xz`], { maxBuffer: 1 << 24 });
    writeFileSync(file, bytes);
    return file;
  }

  test('a module loaded from a file and from memory is reported with name, file and parameters, and so is its unload', async () => {
    const path = moduleFile();
    const records = recordsOf(await sensor.run(machine, ['modules', path, MODULE]), 'rf_module');
    const { OPERATION_MODULE_LOAD: load, OPERATION_MODULE_UNLOAD: unload } = OPERATION;
    const summaries = records.map(({ fields, texts, lane }) => {
      assert.equal(lane, SECURITY);
      const [name, file, parameters] = ['name', 'path', 'parameters'].map((text) => texts[text]?.bytes.toString());
      return [
        fields['operation'],
        fields['result'],
        fields['from_memory'],
        fields['name_source'],
        name,
        file,
        parameters,
      ];
    });
    assert.deepEqual(summaries, [
      [load, 0, 0, NAME.KERNEL, MODULE, path, 'numdummies=1'],
      [unload, 0, 0, NAME.KERNEL, MODULE, '', ''],
      [load, 0, 1, NAME.KERNEL, MODULE, '', 'numdummies=2'],
      [load, -EEXIST, 0, NAME.FILE, MODULE, path, ''],
      [unload, 0, 0, NAME.KERNEL, MODULE, '', ''],
    ]);
  });

  test('loading and unloading a kexec kernel is reported, by segments and by file', async () => {
    const kernel = join(process.env['RINGFENCE_TEST_PREBUILT'] ?? '', 'vmlinuz');
    const [parts, noParts, file, noFile, ...rest] = await changesOf('kexec', kernel);
    assert.deepEqual(shown(parts as SystemChange), ['kexec_load', 0, 0x400_0000n, 1n, 0n]);
    assert.deepEqual(shown(noParts as SystemChange), ['kexec_load', 0, 0n, 0n, 0n]);
    assert.deepEqual(shown(file as SystemChange), ['kexec_file_load', 0, 0n, 0n, 4n]);
    assert.deepEqual([file?.text, file?.detail], [kernel, 'quiet']);
    assert.deepEqual(shown(noFile as SystemChange), ['kexec_file_load', 0, 0n, 0n, 1n]);
    assert.deepEqual(rest, []);
  });

  test('opening and closing I/O ports is reported', async () => {
    assert.deepEqual((await changesOf('ports')).map(shown), [
      ['iopl', 0, 3n, 0n, 0n],
      ['iopl', 0, 0n, 0n, 0n],
      ['ioperm', 0, 0x80n, 1n, 1n],
      ['ioperm', 0, 0x80n, 1n, 0n],
    ]);
  });

  test('swapon and swapoff are reported', async () => {
    const area = join(scratch.path, 'swap');
    writeFileSync(area, Buffer.alloc(1 << 20), { mode: 0o600 });
    execFileSync('mkswap', [area]);
    const changes = await changesOf('swap', area);
    assert.deepEqual(changes.map(shown), [
      ['swapon', 0, 0n, 0n, 0n],
      ['swapoff', 0, 0n, 0n, 0n],
    ]);
    for (const { text } of changes) assert.equal(text, area);
  });

  test('turning off quotas is reported, by device and by mount', async () => {
    const image = join(scratch.path, 'image');
    const directory = join(scratch.path, 'mounted');
    mkdirSync(directory);
    execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-O', 'quota', image, '4M'], { stdio: 'ignore' });
    for (const module of ['loop', 'quota_v2']) execFileSync('modprobe', [module]);
    const device = execFileSync('losetup', ['--find', '--show', image], { encoding: 'utf8' }).trim();
    execFileSync('mount', ['-o', 'usrquota', device, directory]);
    try {
      const changes = await changesOf('quota', device, directory);
      const off = ['quotactl', 0, USER_QUOTA_OFF, 0n, 0n];
      assert.deepEqual(changes.map(shown), [off, off]);
      assert.deepEqual(
        changes.map(({ text, caller }) => [text, caller]),
        [
          [device, 1],
          [directory, 0],
        ],
      );
    } finally {
      execFileSync('umount', [directory]);
      execFileSync('losetup', ['--detach', device]);
    }
  });

  test('setting and adjusting the clock is reported', async () => {
    const now = BigInt(Math.floor(Date.now() / 1000));
    const changes = await changesOf('clocks');
    const [day, clock, adjusted, clockAdjusted, ...rest] = changes;
    assert.deepEqual(
      changes.map(({ operation, result }) => [operation, Math.sign(result)]),
      ['settimeofday', 'clock_settime', 'adjtimex', 'clock_adjtime'].map((operation, index) => [
        operation,
        // adjtimex returns the clock's state, which is unsynchronized here
        index < 2 ? 0 : 1,
      ]),
    );
    const ahead = (day?.arguments[0] ?? 0n) - now;
    assert.ok(ahead >= 3600n && ahead < 3700n, String(ahead));
    const again = (clock?.arguments[1] ?? 0n) - now;
    assert.ok(again >= 0n && again < 100n, String(again));
    assert.deepEqual([adjusted?.arguments[1], clockAdjusted?.arguments[1]], [FREQUENCY, TICK]);
    assert.deepEqual(rest, []);
  });

  test('clearing the kernel log and setting its level are reported', async () => {
    assert.deepEqual((await changesOf('log')).map(shown), [
      ['syslog', 0, 5n, 0n, 0n],
      ['syslog', 0, 8n, 0n, 4n],
    ]);
  });

  test('disabling Ctrl-Alt-Del is reported', async () => {
    assert.deepEqual((await changesOf('reboot')).map(shown), [['reboot', 0, 0xfee1_deadn, 672274793n, CAD_OFF]]);
  });

  test('turning process accounting on and off is reported', async () => {
    const file = join(scratch.path, 'acct');
    writeFileSync(file, '');
    const changes = await changesOf('acct', file);
    assert.deepEqual(
      changes.map(({ operation, result, text }) => [operation, result, text]),
      [
        ['acct', 0, file],
        ['acct', 0, ''],
      ],
    );
  });
});
