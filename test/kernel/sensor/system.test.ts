import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { constants, hostname } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { recordOf, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';
import { type SystemChange, systemChanges } from './system-changes.ts';

const { EPERM, ENOENT, ENODEV, EINVAL } = constants.errno;
const ENOKEY = -126;
const CAP_SYS_TIME = 25n;
const CAP_SYS_RAWIO = 17n;

describe('system calls that change the whole machine, on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let system: string;
  let capabilities = 0n;
  before(async () => {
    scratch = new Scratch();
    system = scratch.compile('system');
    sensor = await TestSensor.start();
    const exec = recordOf(await sensor.run(system, []), 'rf_exec');
    capabilities = (exec.fields['credentials'] as { cap_effective: bigint }).cap_effective;
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const changesOf = async (call: string): Promise<SystemChange[]> => systemChanges(await sensor.run(system, [call]));
  const has = (capability: bigint): boolean => (capabilities & (1n << capability)) !== 0n;
  const signed = (value: bigint | undefined): bigint => BigInt.asIntN(64, value ?? 0n);

  test('a performance event is reported with type, event and process, a failed one with the requested values', async () => {
    const [opened, failed, ...rest] = await changesOf('perf_event_open');
    assert.equal(opened?.operation, 'perf_event_open');
    assert.ok((opened?.result ?? -1) >= 0);
    assert.deepEqual([opened?.arguments, opened?.caller], [[1n, 2n, 0n], 0]);
    assert.deepEqual([failed?.arguments, failed?.caller, failed?.result], [[4000n, 2n, 0n], 1, -ENOENT]);
    assert.deepEqual(rest, []);
  });

  test('a new io_uring is reported with its size and flags', async () => {
    const [made, failed, ...rest] = await changesOf('io_uring_setup');
    assert.equal(made?.operation, 'io_uring_setup');
    assert.ok((made?.result ?? -1) >= 0);
    assert.equal(made?.arguments[0], 4n);
    assert.equal(made?.caller, 0);
    assert.deepEqual([failed?.arguments, failed?.caller, failed?.result], [[4n, 0x8000_0000n, 0n], 1, -EINVAL]);
    assert.deepEqual(rest, []);
  });

  test('userfaultfd is reported', async () => {
    const [made, failed, ...rest] = await changesOf('userfaultfd');
    assert.equal(made?.operation, 'userfaultfd');
    assert.ok((made?.result ?? -1) >= 0);
    assert.equal(made?.arguments[0], 0o2000000n);
    assert.deepEqual([failed?.arguments[0], failed?.result], [0x4000_0000n, -EINVAL]);
    assert.deepEqual(rest, []);
  });

  test('adding, requesting and revoking keys is reported, failed calls included, and describing a key is not', async () => {
    const changes = await changesOf('keys');
    const [join, added, requested, revoked, noType, nothing, noKey, ...rest] = changes;
    assert.deepEqual([join?.operation, join?.arguments[0], join?.text, join?.caller], ['keyctl', 1n, 'rf-session', 1]);
    assert.deepEqual([added?.operation, added?.detail, added?.text], ['add_key', 'user', 'rf:description']);
    assert.ok((added?.result ?? -1) > 0);
    assert.deepEqual(added?.arguments.slice(0, 2), [6n, 0xffff_fffdn]);
    assert.deepEqual(
      [requested?.operation, requested?.detail, requested?.text],
      ['request_key', 'user', 'rf:description'],
    );
    assert.equal(requested?.result, added?.result);
    assert.deepEqual([revoked?.operation, revoked?.result], ['keyctl', 0]);
    assert.deepEqual(revoked?.arguments.slice(0, 2), [3n, BigInt(added?.result ?? 0)]);
    assert.deepEqual([noType?.operation, noType?.detail, noType?.result], ['add_key', 'rf-no-type', -ENODEV]);
    assert.deepEqual([nothing?.operation, nothing?.text, nothing?.result], ['request_key', 'rf:nothing', ENOKEY]);
    assert.deepEqual([noKey?.operation, noKey?.result], ['keyctl', ENOKEY]);
    assert.deepEqual(rest, []);
  });

  test('iopl and ioperm are reported', async () => {
    const [none, iopl, ioperm, beyond, ...rest] = await changesOf('ports');
    assert.deepEqual([none?.operation, none?.arguments[0]], ['iopl', 0n]);
    assert.deepEqual([iopl?.operation, iopl?.arguments[0]], ['iopl', 4n]);
    assert.ok((iopl?.result ?? 0) < 0);
    assert.deepEqual([ioperm?.operation, ioperm?.arguments], ['ioperm', [0x80n, 1n, 1n]]);
    assert.equal((ioperm?.result ?? 1) === 0, has(CAP_SYS_RAWIO) && ioperm?.result === 0);
    assert.deepEqual([beyond?.operation, beyond?.arguments[0]], ['ioperm', 65536n]);
    assert.ok((beyond?.result ?? 0) < 0);
    assert.deepEqual(rest, []);
  });

  test('turning off quotas is reported, by device and by mount, and other quota commands are not', async () => {
    const before = sensor.counters(SECURITY).unwatched;
    const [device, mount, ...rest] = await changesOf('quota');
    assert.deepEqual([device?.operation, device?.text, device?.caller], ['quotactl', '/dev/rf-none', 1]);
    assert.equal(device?.arguments[0], 0x8000_0300n);
    assert.ok((device?.result ?? 0) < 0);
    assert.deepEqual([mount?.operation, mount?.text, mount?.caller], ['quotactl', '/proc', 0]);
    assert.ok((mount?.result ?? 0) < 0);
    assert.deepEqual(rest, []);
    assert.ok(sensor.counters(SECURITY).unwatched > before);
  });

  test('swapon and swapoff are reported', async () => {
    const [on, off, ...rest] = await changesOf('swap');
    assert.deepEqual([on?.operation, on?.text, on?.arguments[1]], ['swapon', '/rf-none', 0x8001n]);
    assert.deepEqual([off?.operation, off?.text, off?.caller], ['swapoff', '/rf-none', 1]);
    for (const change of [on, off]) assert.ok((change?.result ?? 0) < 0);
    assert.deepEqual(rest, []);
  });

  test('setting and adjusting the clock is reported, and reading it is not', async () => {
    const [day, clock, adjusted, clockAdjusted, ...rest] = await changesOf('clocks');
    assert.equal(day?.operation, 'settimeofday');
    assert.deepEqual(day?.arguments.slice(0, 2).map(signed), [-1n, 2_000_000n]);
    assert.equal(clock?.operation, 'clock_settime');
    assert.deepEqual(clock?.arguments.map(signed), [1n, 77n, -1n]);
    assert.equal(adjusted?.operation, 'adjtimex');
    assert.deepEqual(adjusted?.arguments.slice(1), [0x4000n, 5n]);
    assert.equal(clockAdjusted?.operation, 'clock_adjtime');
    assert.deepEqual(clockAdjusted?.arguments, [0n, 0x4000n, 5n]);
    for (const change of [day, clock, adjusted, clockAdjusted])
      assert.deepEqual([change?.caller, (change?.result ?? 0) < 0], [1, true]);
    assert.equal(adjusted?.result, has(CAP_SYS_TIME) ? -EINVAL : -EPERM);
    assert.deepEqual(rest, []);
  });

  test('reading the kernel log and setting its level are reported, and reading its size is not', async () => {
    const [read, level, ...rest] = await changesOf('log');
    assert.deepEqual([read?.operation, read?.arguments], ['syslog', [3n, 0n, 16n]]);
    assert.ok((read?.result ?? -1) >= 0);
    assert.deepEqual([level?.arguments, level?.result], [[8n, 0n, 99n], -EINVAL]);
    assert.deepEqual(rest, []);
  });

  test('a refused reboot is reported', async () => {
    const [reboot, ...rest] = await changesOf('reboot');
    assert.equal(reboot?.operation, 'reboot');
    assert.deepEqual(reboot?.arguments, [1n, 2n, 0x123_4567n]);
    assert.ok([-EINVAL, -EPERM].includes(reboot?.result ?? 0));
    assert.deepEqual(rest, []);
  });

  test('a new host name is reported as the kernel copied it, a refused one as the caller wrote it, with its true length', async () => {
    const before = hostname();
    const [host, domain, long, negative, ...rest] = await changesOf('names');
    assert.deepEqual([host?.operation, host?.text, host?.caller, host?.result], ['sethostname', 'rf-host', 0, 0]);
    assert.deepEqual([domain?.operation, domain?.text, domain?.caller], ['setdomainname', 'rf-domain', 0]);
    assert.deepEqual([long?.text.length, long?.caller, long?.result], [64, 1, -EINVAL]);
    assert.deepEqual([negative?.operation, negative?.result], ['setdomainname', -EINVAL]);
    assert.deepEqual(rest, []);
    assert.equal(hostname(), before);
  });

  test('process accounting is reported', async () => {
    const [acct, ...rest] = await changesOf('acct');
    assert.deepEqual([acct?.operation, acct?.text, acct?.caller], ['acct', '/rf-none/acct', 1]);
    assert.ok((acct?.result ?? 0) < 0);
    assert.deepEqual(rest, []);
  });

  test('kexec is reported, or its hooks are listed as missing on a kernel without kexec', async (t) => {
    const hooks = ['kexec_load', 'kexec_file_load'];
    const lacking = hooks.filter((name) => !existsSync(`/sys/kernel/tracing/events/syscalls/sys_exit_${name}`));
    assert.deepEqual(
      [...sensor.missing].filter((name) => name.startsWith('kexec')),
      lacking.map((name) => `${name}_exit`),
    );
    const changes = await changesOf('kexec');
    if (lacking.length > 0) {
      assert.deepEqual(changes, []);
      t.skip(`this kernel is built without ${lacking.join(' and ')}`);
      return;
    }
    const [load, file] = changes;
    assert.deepEqual([load?.operation, load?.arguments[2]], ['kexec_load', 0x4000_0000n]);
    assert.deepEqual([file?.operation, file?.detail], ['kexec_file_load', 'rf']);
    for (const change of changes) assert.ok(change.result < 0);
  });
});
