import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BpfObject } from '@ringfence/libbpf-ts';
import { cgroup2, recordOf, recordsOf, SECURITY, sensorObject, skip, TestSensor } from '@ringfence/testkit/sensor';

/** Returns a command that runs a script in new network and UTS namespaces. */
const within = (script: string): [string, string[]] => ['unshare', ['--net', '--uts', 'sh', '-c', script]];
const ttl = '/proc/sys/net/ipv4/ip_default_ttl';

describe('writes to sysctls on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  before(async () => {
    sensor = await TestSensor.start();
  });
  after(() => sensor?.[Symbol.dispose]());

  async function written(script: string): Promise<string[][]> {
    const records = recordsOf(await sensor.run(...within(script)), 'rf_sysctl');
    return records.map(({ texts, lane }) => {
      assert.equal(lane, SECURITY);
      return ['name', 'before', 'after'].map((name) => texts[name]?.bytes.toString() ?? '');
    });
  }

  test('each write is reported once, with the previous and the written value', async () => {
    assert.deepEqual(await written(`echo 77 > ${ttl}; printf 78 > ${ttl}`), [
      ['net/ipv4/ip_default_ttl', '64', '77'],
      ['net/ipv4/ip_default_ttl', '77', '78'],
    ]);
  });

  test('a value that the kernel refuses is reported', async () => {
    assert.deepEqual(await written(`echo 0 > ${ttl}; cat ${ttl} >&2`), [['net/ipv4/ip_default_ttl', '64', '0']]);
    assert.deepEqual(await written(`echo what > ${ttl}`), [['net/ipv4/ip_default_ttl', '64', 'what']]);
  });

  test('a read is not reported', async () => {
    assert.deepEqual(await written(`cat ${ttl}`), []);
  });

  test('a write to a missing sysctl is reported as a failed open', async () => {
    const [file, args] = within('echo 1 > /proc/sys/kernel/rf_none');
    const records = await sensor.run(file, args);
    assert.deepEqual(recordsOf(records, 'rf_sysctl'), []);
    const open = recordsOf(records, 'rf_open').find(({ texts }) => texts['path']?.bytes.includes('rf_none'));
    assert.equal(open?.fields['result'], -2);
  });

  test('a value that is too long is reported with its beginning, marked as cut', async () => {
    const name = 'x'.repeat(400);
    const records = await sensor.run(...within(`echo ${name} > /proc/sys/kernel/hostname`));
    const after = recordOf(records, 'rf_sysctl').texts['after'];
    assert.equal(after?.bytes.toString(), name.slice(0, 255));
    assert.ok((after?.length ?? 0) > 255);
  });

  test('a write in a child cgroup with another BPF program is reported, and both programs run', async (t) => {
    const cgroup = join(cgroup2() ?? '', `ringfence-test-sysctl-${process.pid}`);
    mkdirSync(cgroup);
    t.after(() => rmdirSync(cgroup));
    using second = BpfObject.open(await sensorObject());
    for (const definition of second.definitions.values()) if (definition.type === 'ringbuf') definition.resize(4096);
    for (const program of second.programs.values()) program.autoload = program.name === 'sysctl';
    second.load();
    second.program('sysctl').attachCgroup(cgroup);
    const script = `echo $$ > ${cgroup}/cgroup.procs && echo 79 > ${ttl} && [ $(cat ${ttl}) = 79 ] && echo $$ > ${cgroup2()}/cgroup.procs`;
    assert.deepEqual(
      (await written(script)).map(([name, , value]) => [name, value]),
      [['net/ipv4/ip_default_ttl', '79']],
    );
    using ring = second.map('rf_ring_security').ringBuffer();
    ring.begin();
    assert.ok(ring.next(), 'the second program did not run');
    ring.release();
  });
});
