import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { silentLog } from '@ringfence/base';
import { EMPTY_DESCRIPTION } from '@ringfence/host-facts';
import { SecondAgentError, uninstallSensor } from '@ringfence/sensor/parts';
import {
  assertCounted,
  bodyOf,
  cgroupRoot,
  eventsOf,
  execsWith,
  identity,
  kernelSkip,
  memoryBus,
  missingNumbers,
  readBatches,
  readEvents,
  runOnce,
  startTestCollector,
  TestPlace,
} from '@ringfence/testkit/agent';
import { decodeText, type Event, LANE, TOPIC, verifyRecord } from '@ringfence/wire';

/** more than any process's number */
const NO_PID = 2 ** 22 + 1;

describe('the collector on the running kernel', { skip: kernelSkip() }, () => {
  it('brings the exec of a program to the bus once, with its parents up to the first process; signs every batch, numbers every lane without a hole, and ticks; is alone on its host', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    await using collector = await startTestCollector(place, bus, { tickMs: 20 });
    using elsewhere = new TestPlace();
    const refused = (error: unknown): boolean => error instanceof SecondAgentError && error.pid === process.pid;
    await assert.rejects(startTestCollector(place, bus), refused);
    await assert.rejects(startTestCollector(elsewhere, bus, { pinPath: place.pinPath }), refused);
    const marker = `marker-${process.pid}-exec`;
    execFileSync('/bin/sh', ['-c', `/bin/echo ${marker}; true`]);
    await collector.settle();
    const events = await readEvents(bus);
    const [exec, ...others] = execsWith(events, marker);
    assert.ok(exec);
    assert.equal(others.length, 0);
    assert.equal(exec.lane, LANE.security);

    const known = new Map<string, number>();
    for (const event of events) {
      const parent = bodyOf(event, 'Exec') ?? bodyOf(event, 'Fork');
      if (parent !== undefined) known.set(keyOf(event.tgid, event.start), parent.parentTgid);
    }
    const chain: number[] = [];
    let parent = bodyOf(exec, 'Exec');
    for (let pid = exec.tgid; pid > 0 && parent !== undefined; ) {
      chain.push(pid);
      const next: number = parent.parentTgid;
      parent = events
        .map((event) => (event.tgid === next ? bodyOf(event, 'Exec') : undefined))
        .find((body) => body !== undefined);
      pid = next;
    }
    assert.equal(chain.at(-1), 1, `the chain ${chain.join(' < ')} ends before pid 1`);
    assert.ok(chain.includes(process.pid));

    for (let i = 0; i < 20; i++) runOnce(`${i}`);
    while (collector.stats().lanes.every(({ lane, sequence }) => lane !== LANE.tick || sequence < 3))
      await collector.settle();
    await collector.close();
    for await (const { value, key } of bus.read({ topic: TOPIC.raw })) {
      assert.equal(key, identity.hostId);
      assert.ok(value !== null && verifyRecord(identity.key.publicKey, value));
    }
    const batches = await readBatches(bus);
    const all = eventsOf(batches);
    assertCounted(batches);
    for (const lane of [LANE.tick, LANE.context]) assert.deepEqual(missingNumbers(all, lane), []);
    const withLanes = batches.filter(({ lanes }) => lanes.length > 0);
    assert.ok(withLanes.length >= 3);
    for (const { lanes, events: inBatch, wallOffset } of withLanes) {
      assert.ok(inBatch.some((event) => bodyOf(event, 'Tick')?.wallOffset === wallOffset));
      assert.ok(lanes.some(({ lane }) => lane === LANE.tick));
    }
    const security = withLanes.at(-1)?.lanes.filter(({ lane }) => lane === LANE.security) ?? [];
    assert.ok(security.reduce((sum, { sequence }) => sum + sequence, 0) >= 60);
  });

  it('leaves nothing in the kernel after a clean close, and everything when told to', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const first = await startTestCollector(place, bus);
    assert.throws(() => uninstallSensor(place.pinPath), SecondAgentError);
    await first.close();
    assert.equal(existsSync(place.pinPath), false);
    assert.equal(first.stats().pendingBytes.security, 0);

    await (await startTestCollector(place, bus, { keepPinned: true })).close();
    assert.ok(readdirSync(place.pinPath).some((name) => name === 'link_process_exec'));
    const marker = `marker-${process.pid}-pause`;
    runOnce(marker);
    const again = await startTestCollector(place, bus);
    assert.equal(again.stats().resumed, true);
    await again.close();
    assert.equal(execsWith(await readEvents(bus), marker).length, 1);
  });

  it('leaves nothing in the bpf file system when the sensor can not be loaded', async () => {
    using place = new TestPlace();
    const sensorObject = join(place.directory, 'no.bpf.o');
    writeFileSync(sensorObject, 'no object');
    await assert.rejects(startTestCollector(place, await memoryBus(), { sensorObject }), {
      code: 'ERR_COLLECTOR_SENSOR',
    });
    assert.ok(!existsSync(place.pinPath));
  });

  for (const file of ['executed.log', 'logs.state'])
    it(`leaves nothing in the bpf file system when ${file} can not be read`, async () => {
      using place = new TestPlace();
      mkdirSync(join(place.directory, file));
      await using bus = await memoryBus();
      await assert.rejects(startTestCollector(place, bus), { code: 'EISDIR' });
      assert.ok(!existsSync(place.pinPath));
      assert.ok(!existsSync(join(place.directory, 'sensor.json')));
    });

  it('says that what is done to the process beside it is not told, when the kernel knows no such process', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const warned: object[] = [];
    const log = { ...silentLog, warn: (facts: object) => warned.push(facts) };
    for (const partner of [process.ppid, NO_PID]) {
      await using _collector = await startTestCollector(place, bus, {}, { partner, log });
    }
    assert.deepEqual(
      warned.filter((facts) => 'pid' in facts),
      [{ pid: NO_PID }],
    );
  });

  it('tells which container an event belongs to before the event itself, and that a container is gone', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const name = `rf-test-${process.pid}`;
    const cgroup = join(cgroupRoot(), name);
    mkdirSync(cgroup);
    try {
      const containers = join(place.directory, 'containers.d');
      mkdirSync(containers, { mode: 0o755 });
      const json = {
        cgroupPath: `/${name}`,
        id: 'c1',
        name: 'web-1',
        image: 'debug:1',
        privileged: false,
        labels: { tier: 'web' },
      };
      writeFileSync(join(containers, 'web.json'), JSON.stringify(json));
      await using collector = await startTestCollector(place, bus, { containerFiles: [containers], tickMs: 10 });
      const marker = `marker-${process.pid}-cgroup`;
      spawnSync('/bin/sh', ['-c', `echo $$ > ${cgroup}/cgroup.procs; exec /bin/echo ${marker}`]);
      await collector.settle();
      // Others' containers on this machine are seen too.
      assert.ok(collector.stats().containers >= 1);
      const events = await readEvents(bus);
      const context = events.findIndex((event) => bodyOf(event, 'ContainerContext')?.name === 'web-1');
      const [exec] = execsWith(events, marker);
      assert.ok(exec && context >= 0 && context < events.indexOf(exec));
      const container = bodyOf(events[context] as Event, 'ContainerContext');
      assert.deepEqual(container?.cgroupId, exec.cgroup);
      const { cgroupPath, ...said } = json;
      const named = { ...said, cgroupId: exec.cgroup, runtime: '', path: cgroupPath };
      assert.deepEqual({ ...container }, { ...EMPTY_DESCRIPTION, described: true, ...named });

      const going = `ringfence-demo-test-${process.pid}`;
      mkdirSync(join(cgroupRoot(), going));
      spawnSync('/bin/sh', ['-c', `echo $$ > ${join(cgroupRoot(), going)}/cgroup.procs; exec /bin/true`]);
      /** Of our container: others may run on this machine. */
      const ids = async (): Promise<string[]> => {
        const facts = (await readEvents(bus)).flatMap((event) => bodyOf(event, 'ContainerContext') ?? []);
        const ours = facts.find(({ id }) => id === going)?.cgroupId;
        return facts.filter(({ cgroupId }) => isDeepStrictEqual(cgroupId, ours)).map(({ id }) => id);
      };
      await collector.settle();
      assert.deepEqual(await ids(), [going]);
      rmdirSync(join(cgroupRoot(), going));
      while (!(await ids()).includes('')) await collector.settle();
      assert.deepEqual(await ids(), [going, '']);
    } finally {
      rmdirSync(cgroup);
    }
  });

  it('sends opens of watched paths, names and executables only when told to, and says which filter was in force', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    await using collector = await startTestCollector(place, bus);
    const file = join(place.directory, 'watched-file');
    writeFileSync(file, 'x');
    const read = (): void => void execFileSync('/bin/cat', [file]);
    read();
    await collector.control.setInterest({
      version: 7,
      openPathPrefixes: [place.directory],
      openNames: [],
      openExecutables: [],
      changePathPrefixes: [],
      changeNames: [],
      wants: null,
    });
    read();
    await collector.control.setInterest({
      version: 8,
      openPathPrefixes: ['/nowhere/'],
      openNames: ['other-file'],
      openExecutables: ['other-cat'],
      changePathPrefixes: [],
      changeNames: [],
      wants: null,
    });
    read();
    await collector.control.setInterest({
      version: 9,
      openPathPrefixes: [],
      openNames: ['watched-file'],
      openExecutables: [],
      changePathPrefixes: [],
      changeNames: [],
      wants: null,
    });
    read();
    await collector.control.setInterest({
      version: 10,
      openPathPrefixes: [],
      openNames: [],
      openExecutables: ['cat'],
      changePathPrefixes: [],
      changeNames: [],
      wants: null,
    });
    read();
    execFileSync('/usr/bin/head', [file]);
    await collector.settle();
    const batches = await readBatches(bus);
    const opens = batches
      .flatMap(({ events }) => events)
      .filter((event) => {
        const open = bodyOf(event, 'Open');
        return open !== undefined && decodeText(open.path.bytes) === file && open.flags % 4 === 0;
      });
    assert.equal(opens.length, 3);
    assert.equal(batches.at(-1)?.interestVersion, 10);
  });
});

function keyOf(tgid: number, start: Uint8Array): string {
  return `${tgid}/${Buffer.from(start).toString('hex')}`;
}
