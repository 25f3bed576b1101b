import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { silentLog } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { EMPTY_DESCRIPTION } from '@ringfence/host-facts';
import { INITIAL_INTEREST, type Interest } from '@ringfence/interest';
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
import type { Collector } from '../src/main.ts';

/** Above the kernel's highest pid */
const UNUSED_PID = 2 ** 22 + 1;

describe('a collector on the running kernel', { skip: kernelSkip() }, () => {
  const place = new TestPlace();
  let bus: Bus;
  let collector: Collector;

  before(async () => {
    bus = await memoryBus();
    collector = await startTestCollector(place, bus, { tickMs: 20 });
  });
  after(async () => {
    await collector?.close();
    await bus?.close();
    place[Symbol.dispose]();
  });

  it('is the only agent of its state directory and its pin directory', async () => {
    using otherPlace = new TestPlace();
    const refused = (error: unknown): boolean => error instanceof SecondAgentError && error.pid === process.pid;
    await assert.rejects(startTestCollector(place, bus), refused);
    await assert.rejects(startTestCollector(otherPlace, bus, { pinPath: place.pinPath }), refused);
  });

  it('sends the exec of a program once, and its ancestors up to pid 1', async () => {
    const marker = `marker-${process.pid}-exec`;
    execFileSync('/bin/sh', ['-c', `/bin/echo ${marker}; true`]);
    await collector.settle();
    const events = await readEvents(bus);
    const [exec, ...duplicates] = execsWith(events, marker);
    assert.ok(exec);
    assert.equal(duplicates.length, 0);
    assert.equal(exec.lane, LANE.security);
    const lineage = lineageOf(exec, events);
    assert.equal(lineage.at(-1), 1, `the lineage ${lineage.join(' < ')} ends before pid 1`);
    assert.ok(lineage.includes(process.pid));
  });

  it('signs every batch, numbers every lane without a hole, and sends counters with its ticks', async () => {
    for (let i = 0; i < 20; i++) runOnce(`${i}`);
    while (collector.stats().lanes.every(({ lane, sequence }) => lane !== LANE.tick || sequence < 3))
      await collector.settle();
    await collector.close();
    for await (const { value, key } of bus.read({ topic: TOPIC.raw })) {
      assert.equal(key, identity.hostId);
      assert.ok(value !== null && verifyRecord(identity.key.publicKey, value));
    }
    const batches = await readBatches(bus);
    const events = eventsOf(batches);
    assertCounted(batches);
    for (const lane of [LANE.tick, LANE.context]) assert.deepEqual(missingNumbers(events, lane), []);
    const withCounters = batches.filter(({ lanes }) => lanes.length > 0);
    assert.ok(withCounters.length >= 3);
    for (const { lanes, events: inBatch, wallOffset } of withCounters) {
      assert.ok(inBatch.some((event) => bodyOf(event, 'Tick')?.wallOffset === wallOffset));
      assert.ok(lanes.some(({ lane }) => lane === LANE.tick));
    }
    const security = withCounters.at(-1)?.lanes.filter(({ lane }) => lane === LANE.security) ?? [];
    assert.ok(security.reduce((sum, { sequence }) => sum + sequence, 0) >= 60);
  });
});

describe('the life of a collector', { skip: kernelSkip() }, () => {
  it('leaves nothing in the kernel after a clean close, or everything with keepPinned', async () => {
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

  it('leaves nothing in the bpf file system when the sensor cannot be loaded', async () => {
    using place = new TestPlace();
    const sensorObject = join(place.directory, 'no.bpf.o');
    writeFileSync(sensorObject, 'no object');
    await assert.rejects(startTestCollector(place, await memoryBus(), { sensorObject }), {
      code: 'ERR_COLLECTOR_SENSOR',
    });
    assert.ok(!existsSync(place.pinPath));
  });

  for (const file of ['executed.log', 'logs.state'])
    it(`leaves nothing in the bpf file system when ${file} cannot be read`, async () => {
      using place = new TestPlace();
      mkdirSync(join(place.directory, file));
      await using bus = await memoryBus();
      await assert.rejects(startTestCollector(place, bus), { code: 'EISDIR' });
      assert.ok(!existsSync(place.pinPath));
      assert.ok(!existsSync(join(place.directory, 'sensor.json')));
    });

  it('warns that tampering with its partner process is not reported when the kernel knows no such process', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const warned: object[] = [];
    const log = { ...silentLog, warn: (facts: object) => warned.push(facts) };
    for (const partner of [process.ppid, UNUSED_PID]) {
      await using _collector = await startTestCollector(place, bus, {}, { partner, log });
    }
    assert.deepEqual(
      warned.filter((facts) => 'pid' in facts),
      [{ pid: UNUSED_PID }],
    );
  });

  it('reports the container of an event before the event, and the end of a container', async () => {
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
      // The machine may run other containers.
      assert.ok(collector.stats().containers >= 1);
      const events = await readEvents(bus);
      const context = events.findIndex((event) => bodyOf(event, 'ContainerContext')?.name === 'web-1');
      const [exec] = execsWith(events, marker);
      assert.ok(exec && context >= 0 && context < events.indexOf(exec));
      const container = bodyOf(events[context] as Event, 'ContainerContext');
      assert.deepEqual(container?.cgroupId, exec.cgroup);
      const { cgroupPath, ...fields } = json;
      const expected = { ...fields, cgroupId: exec.cgroup, runtime: '', path: cgroupPath };
      assert.deepEqual({ ...container }, { ...EMPTY_DESCRIPTION, described: true, ...expected });

      const shortLived = `rf-test-short-${process.pid}`;
      mkdirSync(join(cgroupRoot(), shortLived));
      writeFileSync(join(containers, 'short.json'), JSON.stringify({ cgroupPath: `/${shortLived}`, id: shortLived }));
      spawnSync('/bin/sh', ['-c', `echo $$ > ${join(cgroupRoot(), shortLived)}/cgroup.procs; exec /bin/true`]);
      /** Returns the ids in the container events of the short-lived container. */
      const ids = async (): Promise<string[]> => {
        const facts = (await readEvents(bus)).flatMap((event) => bodyOf(event, 'ContainerContext') ?? []);
        const ours = facts.find(({ id }) => id === shortLived)?.cgroupId;
        return facts.filter(({ cgroupId }) => isDeepStrictEqual(cgroupId, ours)).map(({ id }) => id);
      };
      await collector.settle();
      assert.deepEqual(await ids(), [shortLived]);
      rmdirSync(join(cgroupRoot(), shortLived));
      while (!(await ids()).includes('')) await collector.settle();
      assert.deepEqual(await ids(), [shortLived, '']);
    } finally {
      rmdirSync(cgroup);
    }
  });

  it('sends opens of watched paths, names and executables only, with the version of the filter in force', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    await using collector = await startTestCollector(place, bus);
    const file = join(place.directory, 'watched-file');
    writeFileSync(file, 'x');
    const read = (): void => void execFileSync('/bin/cat', [file]);
    const applyAndRead = async (interest: Partial<Interest>): Promise<void> => {
      await collector.control.setInterest({ ...INITIAL_INTEREST, ...interest });
      read();
    };
    read();
    await applyAndRead({ version: 7, openPathPrefixes: [place.directory] });
    await applyAndRead({
      version: 8,
      openPathPrefixes: ['/nowhere/'],
      openNames: ['other-file'],
      openExecutables: ['other-cat'],
    });
    await applyAndRead({ version: 9, openNames: ['watched-file'] });
    await applyAndRead({ version: 10, openExecutables: ['cat'] });
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

/** Returns the pids of an exec's process and its ancestors, as far as their execs are known. */
function lineageOf(exec: Event, events: readonly Event[]): number[] {
  const execOf = (pid: number) => events.find((event) => event.tgid === pid && bodyOf(event, 'Exec') !== undefined);
  const lineage: number[] = [];
  for (let event: Event | undefined = exec; event !== undefined && event.tgid > 0; ) {
    lineage.push(event.tgid);
    event = execOf(bodyOf(event, 'Exec')?.parentTgid ?? 0);
  }
  return lineage;
}
