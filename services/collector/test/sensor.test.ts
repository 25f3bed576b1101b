import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Bus, BusFullError, openEmbeddedBus } from '@ringfence/bus';
import {
  decodeText,
  type Event,
  LANE,
  type RawBatch,
  splitText,
  TOPIC,
  topicsWith,
  u64ToHex,
  verifyRecord,
} from '@ringfence/schema';
import { NOTHING } from '../src/context/description.ts';
import { SecondAgentError, uninstallSensor } from '../src/index.ts';
import { silent } from '../src/log.ts';
import {
  bodyOf,
  cgroupRoot,
  eventsOf,
  holes,
  identity,
  kernelSkip,
  memoryBus,
  readBatches,
  readEvents,
  startTestCollector,
  TestPlace,
} from './support.ts';

/** Execs that were seen happening, of a program with this argument. */
function execsWith(events: readonly Event[], argument: string): Event[] {
  return events.filter((event) => {
    const exec = bodyOf(event, 'Exec');
    return exec !== undefined && !exec.snapshot && splitText(exec.argv.bytes).includes(argument);
  });
}

/** more than any process's number */
const NO_PID = 2 ** 22 + 1;

const runOnce = (marker: string): void => void execFileSync('/bin/echo', [marker]);

function killed(pid: number): void {
  process.kill(pid, 'SIGKILL');
}

async function startChild(place: TestPlace, busFile: string, ...more: string[]): Promise<ReturnType<typeof spawn>> {
  const script = join(import.meta.dirname, 'programs/collector-child.ts');
  const args = ['--conditions=@ringfence/source', script, place.directory, place.pinPath, busFile, ...more];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([code]) => assert.fail(`the child ended with ${code}`));
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended]);
  ended.catch(() => undefined);
  return child;
}

/** In the sensor's lanes nothing is missing but what their counters say was lost, which is returned: other programs of the machine may fill a ring while nobody reads it. */
function assertCounted(batches: readonly RawBatch[]): number {
  const events = eventsOf(batches);
  const missing = [LANE.security, LANE.bulk].flatMap((lane) => holes(events, lane));
  const last = batches.findLast(({ lanes }) => lanes.length > 0)?.lanes ?? [];
  const lost = last.reduce((sum, { drops }) => sum + (drops['ring_full'] ?? 0), 0);
  assert.equal(missing.length, lost, `missing: ${missing.slice(0, 10).join(' ')}`);
  return lost;
}

/** What is on the bus after a last collector has read everything: nothing is missing that isn't counted, each marker's exec is there under one identity. */
async function assertWhole(place: TestPlace, busFile: string, markers: readonly string[]): Promise<void> {
  await using bus = await openEmbeddedBus({ path: busFile });
  await bus.ensureTopics(topicsWith(1));
  const collector = await startTestCollector(place, bus);
  assert.equal(collector.stats().resumed, true);
  await collector.close();
  const batches = await readBatches(bus);
  assert.equal(new Set(batches.map(({ run }) => u64ToHex(run))).size, 1);
  const events = eventsOf(batches);
  const ids = (list: readonly Event[]): Set<string> =>
    new Set(list.map(({ lane, cpu, sequence }) => `${lane}/${cpu}/${sequence}`));
  const lost = assertCounted(batches);
  for (const marker of markers) {
    const found = ids(execsWith(events, marker)).size;
    assert.ok(found === 1 || (found === 0 && lost > 0), `${marker}: ${found} identities`);
  }
  const own = events.filter(({ lane }) => lane === LANE.tick || lane === LANE.context);
  assert.equal(ids(own).size, own.length, 'an identity was given twice');
}

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
    for (const lane of [LANE.tick, LANE.context]) assert.deepEqual(holes(all, lane), []);
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
    const log = { ...silent, warn: (facts: object) => warned.push(facts) };
    for (const partner of [process.ppid, NO_PID]) {
      await using _collector = await startTestCollector(place, bus, {}, { partner, log });
    }
    assert.deepEqual(
      warned.filter((facts) => 'pid' in facts),
      [{ pid: NO_PID }],
    );
  });

  it('loses nothing to a kill -9: the next start drains what the rings took in between', async () => {
    using place = new TestPlace();
    const busFile = join(place.directory, 'bus.db');
    const child = await startChild(place, busFile);
    const markers = Array.from({ length: 40 }, (_, index) => `marker-${process.pid}-kill-${index}`);
    for (const marker of markers.slice(0, 20)) runOnce(marker);
    killed(child.pid as number);
    await once(child, 'exit');
    for (const marker of markers.slice(20)) runOnce(marker);

    await assertWhole(place, busFile, markers);
  });

  for (const point of ['before-effect', 'before-commit', 'after-commit']) {
    it(`loses and doubles nothing when it is killed ${point}`, async () => {
      using place = new TestPlace();
      const busFile = join(place.directory, 'bus.db');
      const child = await startChild(place, busFile, point, '3');
      const gone = once(child, 'exit');
      const markers = Array.from({ length: 12 }, (_, index) => `marker-${process.pid}-${point}-${index}`);
      for (const marker of markers) {
        runOnce(marker);
        await sleep(5);
      }
      await gone;
      await assertWhole(place, busFile, markers);
    });
  }

  it('reads the rings of another sensor to the end before it replaces it', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const first = await startTestCollector(place, bus, { keepPinned: true });
    const { run } = first.stats();
    await first.close();
    const marker = `marker-${process.pid}-replaced`;
    runOnce(marker);
    const second = await startTestCollector(place, bus, { ringBulkBytes: 1 << 23 });
    const stats = second.stats();
    assert.equal(stats.resumed, false);
    assert.notEqual(stats.run, run);
    await second.close();
    assert.equal(existsSync(place.pinPath), false);
    const ofFirst = (await readBatches(bus)).filter((batch) => u64ToHex(batch.run) === run);
    assert.equal(execsWith(eventsOf(ofFirst), marker).length, 1);
    assertCounted(ofFirst);
  });

  it('replaces a sensor of which somebody has taken a ring away', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    await (await startTestCollector(place, bus, { keepPinned: true })).close();
    rmSync(join(place.pinPath, 'rf_ring_bulk'));
    await using collector = await startTestCollector(place, bus);
    assert.equal(collector.stats().resumed, false);
  });

  it('loses nothing while the bus is away: the spool holds it, and gives it back in order', async () => {
    using place = new TestPlace();
    await using memory = await memoryBus();
    const away = { now: false };
    const bus: Pick<Bus, 'produce'> = {
      produce: (records) => (away.now ? Promise.reject(new BusFullError(1, 1, 1)) : memory.produce(records)),
    };
    const collector = await startTestCollector(place, bus, { tickMs: 20 });
    const markers = Array.from({ length: 12 }, (_, index) => `marker-${process.pid}-away-${index}`);
    for (const [index, marker] of markers.entries()) {
      away.now = index >= 4 && index < 8;
      runOnce(marker);
      await collector.settle();
      if (index === 7) assert.ok(collector.stats().spool.batches > 0);
    }
    while (collector.stats().spool.batches > 0) await collector.settle();
    await collector.close();
    const batches = await readBatches(memory);
    const events = eventsOf(batches);
    assert.deepEqual(
      markers.map((marker) => execsWith(events, marker).length),
      markers.map(() => 1),
    );
    assertCounted(batches);
    for (const lane of [LANE.tick, LANE.context]) assert.deepEqual(holes(events, lane), []);
    const order = events.filter(({ lane }) => lane === LANE.tick).map(({ sequence }) => sequence);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
  });

  it('accounts for every record of a flood that its ring is too small for', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const collector = await startTestCollector(place, bus, { ringBulkBytes: 1 << 16, pollIntervalMs: 200 });
    const file = join(place.directory, 'flood');
    execFileSync('/bin/sh', ['-c', `i=0; while [ $i -lt 4000 ]; do : > ${file}; i=$((i+1)); done`]);
    await collector.close();
    const events = (await readEvents(bus)).filter(({ lane }) => lane === LANE.bulk);
    const ofBulk = collector.stats().lanes.filter(({ lane }) => lane === LANE.bulk);
    const taken = ofBulk.reduce((sum, { sequence }) => sum + sequence, 0);
    const lost = ofBulk.reduce((sum, { drops }) => sum + (drops['ring_full'] ?? 0), 0);
    assert.ok(lost > 0);
    assert.equal(events.length + lost, taken);
  });

  it('stops when the bus says something that waiting does not mend, and leaves the records in the rings', async () => {
    using place = new TestPlace();
    await using memory = await memoryBus();
    const broken = { now: false };
    const bus: Pick<Bus, 'produce'> = {
      produce: (records) => (broken.now ? Promise.reject(new Error('no such topic')) : memory.produce(records)),
    };
    const collector = await startTestCollector(place, bus, { tickMs: 10 });
    broken.now = true;
    const marker = `marker-${process.pid}-broken`;
    runOnce(marker);
    await assert.rejects(collector.done, /no such topic/);
    await assert.rejects(collector.settle(), { code: 'ERR_COLLECTOR_CLOSED' });
    await assert.rejects(collector.close(), /no such topic/);
    const again = await startTestCollector(place, memory);
    assert.equal(again.stats().resumed, true);
    await again.close();
    assert.equal(execsWith(await readEvents(memory), marker).length, 1);
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
      assert.deepEqual({ ...container }, { ...NOTHING, described: true, ...named });

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
