import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@ringfence/bus';
import type { Collector } from '@ringfence/collector';
import { INITIAL_INTEREST, wantOf } from '@ringfence/interest';
import { type BpfError, type BpfLink, BpfObject } from '@ringfence/libbpf-ts';
import {
  bodyOf,
  cgroupRoot,
  kernelSkip,
  memoryBus,
  readEvents,
  startTestCollector,
  TestPlace,
} from '@ringfence/testkit/agent';
import type { Event } from '@ringfence/wire';
import { buildSensor } from '../src/build/build-sensor.ts';
import { openSensor } from '../src/open-sensor.ts';
import { makePinDirectory } from '../src/pins/directory.ts';
import { linkPath, programPath } from '../src/pins/paths.ts';
import { ON_DEMAND_HOOKS } from '../src/programs.ts';
import type { Sensor } from '../src/sensor.ts';
import { damagedHooks } from '../src/tampering/own-links.ts';

const { EACCES } = constants.errno;
/** Sends a broadcast datagram without SO_BROADCAST, which the kernel rejects. */
const REFUSED = `
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
int main(void) {
  struct sockaddr_in all = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = 0xffffffff };
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  return sendto(fd, "x", 1, 0, (struct sockaddr *)&all, sizeof(all)) < 0 ? errno : 0;
}`;
/** arm64 has no dup2. */
const HOOKS = [...ON_DEMAND_HOOKS.keys()].filter((name) => process.arch !== 'arm64' || name !== 'dup2_exit');

async function setInterest(collector: Collector, version: number, ...texts: string[]): Promise<void> {
  const wants = texts.map((text) => wantOf(text) ?? assert.fail(text));
  await collector.control.setInterest({
    ...INITIAL_INTEREST,
    version,
    wants,
  });
}

const attachedHooks = ({ pinPath }: TestPlace): string[] =>
  [...ON_DEMAND_HOOKS.keys()].filter((name) => existsSync(linkPath(pinPath, name)));

describe('on-demand hooks', { skip: kernelSkip() }, () => {
  it('come and go with the interest, both in a fresh agent and in one that resumed a sensor, and report events meanwhile', async () => {
    using place = new TestPlace();
    await using bus: Bus = await memoryBus();
    const refused = join(place.directory, 'refused');
    execFileSync('cc', ['-x', 'c', '-o', refused, '-'], { input: REFUSED });
    const send = (): void => assert.throws(() => execFileSync(refused), { status: EACCES });
    const refusedSends = async (): Promise<readonly Event[]> =>
      (await readEvents(bus)).filter((event) => bodyOf(event, 'Datagram')?.result === -EACCES);

    await using first = await startTestCollector(place, bus, { keepPinned: true });
    assert.deepEqual(attachedHooks(place), HOOKS);
    await setInterest(first, 1, 'memory');
    assert.deepEqual(attachedHooks(place), ['mmap_exit', 'mprotect_exit']);
    send();
    await setInterest(first, 2);
    assert.deepEqual(attachedHooks(place), []);
    assert.deepEqual(damagedHooks(place.pinPath), []);
    await first.close();

    await using second = await startTestCollector(place, bus, { keepPinned: true });
    assert.equal(second.stats().resumed, true);
    assert.deepEqual(attachedHooks(place), []);
    // A hook that was detached a moment ago is attached again at once.
    for (const version of [3, 5, 7]) {
      await setInterest(second, version, 'datagram.remote', 'datagram.loopback');
      assert.deepEqual(
        attachedHooks(place),
        [...ON_DEMAND_HOOKS].filter(([, kinds]) => kinds.includes('datagram')).map(([name]) => name),
      );
      send();
      await second.settle();
      assert.equal((await refusedSends()).length, (version - 1) / 2);
      if (version < 7) await setInterest(second, version + 1);
    }
    await second.close();

    await using third = await startTestCollector(place, bus);
    assert.equal(third.stats().resumed, true);
    send();
    await third.settle();
    assert.equal((await refusedSends()).length, 4, 'the hook outlives the agent that attached it');
    await setInterest(third, 9);
    assert.deepEqual(attachedHooks(place), []);
    await third.close();
    assert.equal(existsSync(place.pinPath), false);
  });
});

/** BPF_CGROUP_MAX_PROGS: maximum number of programs of one type per cgroup. */
const CGROUP_PROGRAMS_MAX = 64;
const RETRY_MS = 1_000;

/** Makes a sensor that attaches to a cgroup of its own, which the test can fill with other programs. */
async function sensorInCgroup(stack: DisposableStack) {
  const { pinPath } = stack.use(new TestPlace());
  const sensorObject = await buildSensor();
  const cgroup = join(cgroupRoot(), `rf-room-${process.pid}`);
  mkdirSync(cgroup);
  stack.defer(() => rmdirSync(cgroup));
  const filler = stack.use(BpfObject.open(sensorObject));
  for (const program of filler.programs.values()) program.autoload = program.name === 'packet_leaves';
  for (const ring of ['rf_ring_security', 'rf_ring_bulk']) filler.definition(ring).resize(4096);
  filler.load();
  const attach = (): BpfLink => filler.program('packet_leaves').attachCgroup(cgroup);
  makePinDirectory(pinPath);
  const open = (): Sensor =>
    stack.use(
      openSensor({
        sensorObject,
        pinPath,
        ringSecurityBytes: 1 << 20,
        ringBulkBytes: 1 << 20,
        probes: { pam: false, shell: false, tls: false, files: [] },
        hostRoot: '/',
        cgroupRoot: cgroup,
      }),
    );
  return { pinPath, attach, open };
}

describe('a hook whose cgroup has no room', { skip: kernelSkip() }, () => {
  it('is missing and retried with growing delays until there is room, and is not missing while it is not wanted', async () => {
    using stack = new DisposableStack();
    const { pinPath, attach, open } = await sensorInCgroup(stack);
    const full = Array.from({ length: CGROUP_PROGRAMS_MAX }, attach);
    const sensor = open();
    const { onDemand, missing } = sensor.hooks;
    onDemand.attachFor([]);
    sensor.hooks.attachLifecycle();
    sensor.hooks.attachRemaining();
    const begin = performance.now();
    const [error] = onDemand.attachFor([wantOf('datagram.remote') ?? assert.fail()]);
    assert.match(error ?? '', /^the hook packet_leaves can't be attached: .*E2BIG/);
    assert.deepEqual(
      [onDemand.retrying, missing.get('packet_leaves')],
      [['packet_leaves'], { reason: error, absent: false }],
    );

    assert.deepEqual(onDemand.retryDue(begin), [], 'not due');
    const later = performance.now() + RETRY_MS;
    assert.deepEqual(onDemand.retryDue(later), [], 'still full');
    full.pop()?.[Symbol.dispose]();
    assert.deepEqual(onDemand.retryDue(later + RETRY_MS), [], 'not due: the delay has doubled');
    assert.deepEqual(onDemand.retryDue(later + 2 * RETRY_MS), ['packet_leaves']);
    assert.deepEqual([onDemand.retrying, missing.has('packet_leaves')], [[], false]);
    assert.ok(existsSync(linkPath(pinPath, 'packet_leaves')));

    onDemand.attachFor([]);
    onDemand.detachUnwanted();
    // The kernel frees the slot a moment after the pin is removed.
    while (full.length < CGROUP_PROGRAMS_MAX)
      try {
        full.push(attach());
      } catch (error) {
        if ((error as BpfError).errnoName !== 'E2BIG') throw error;
        await sleep(10);
      }
    onDemand.attachFor([wantOf('datagram.remote') ?? assert.fail()]);
    assert.deepEqual(onDemand.retrying, ['packet_leaves']);
    onDemand.attachFor([]);
    onDemand.detachUnwanted();
    assert.deepEqual([onDemand.retrying, missing.has('packet_leaves')], [[], false]);
    sensor.uninstall();
  });

  it('is detached if its pin fails: a retry would otherwise report every event twice', async () => {
    using stack = new DisposableStack();
    const { pinPath, attach, open } = await sensorInCgroup(stack);
    const sensor = open();
    const blockedPin = programPath(pinPath, 'packet_leaves');
    mkdirSync(blockedPin);
    const { hooks } = sensor;
    hooks.onDemand.attachFor([]);
    hooks.attachLifecycle();
    hooks.attachRemaining();
    assert.equal(hooks.onDemand.attachFor([wantOf('datagram.remote') ?? assert.fail()]).length, 1);
    assert.equal(Array.from({ length: CGROUP_PROGRAMS_MAX }, attach).length, CGROUP_PROGRAMS_MAX);
    rmdirSync(blockedPin);
    sensor.uninstall();
  });
});
