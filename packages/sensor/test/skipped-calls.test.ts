import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { BpfObject } from '@ringfence/libbpf-ts';
import { kernelSkip, memoryBus, startTestCollector, TestPlace } from '@ringfence/testkit/agent';
import { findCompiler } from '../src/build/build-sensor.ts';
import { linkPath, pinnedHooks, pinnedPrograms, programOfLink, programOfPin, programPath } from '../src/pins/paths.ts';

/**
 * While the kernel updates a map it runs no programs on tracepoints. So it skips this one, which is on the tracepoint
 * of the allocation for the map's new entry.
 */
const PROGRAM = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
struct { __uint(type, BPF_MAP_TYPE_DEVMAP_HASH); __uint(max_entries, 8); __type(key, __u32); __type(value, __u32); } devices SEC(".maps");
SEC("tracepoint/kmem/kmalloc") int skipped(void *context) { return 0; }`;
const LOOPBACK = 1;
const CALLS = 8;

async function compiled({ directory }: TestPlace): Promise<BpfObject> {
  const path = join(directory, 'skipped.o');
  const include = `-I/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const { name } = await findCompiler();
  execFileSync(name, ['-g', '-O2', '-target', 'bpf', include, '-x', 'c', '-c', '-', '-o', path], { input: PROGRAM });
  const object = BpfObject.open(path);
  object.load();
  return object;
}

describe('calls that the kernel skips', { skip: kernelSkip() }, () => {
  it('are reported by program, in the drops, and once in the log for each query that finds new ones', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const errors: object[] = [];
    const log = { ...silentLog, error: (fields: object) => void errors.push(fields) };
    const first = await startTestCollector(place, bus, { keepPinned: true, tickMs: 20 }, { log });
    await first.settle();
    assert.deepEqual([first.stats().account.skipped, first.stats().drops['skipped']], [[], undefined]);
    await first.close();

    using object = await compiled(place);
    const program = object.program('skipped');
    const link = program.attach();
    for (let key = 0; key < CALLS; key++) object.map('devices').set(key, LOOPBACK);
    program.pin(programPath(place.pinPath, 'skipped'));
    link.pin(linkPath(place.pinPath, 'skipped'));
    await using second = await startTestCollector(place, bus, { tickMs: 20 }, { log });
    while (second.stats().account.skipped.length === 0) await second.settle();
    const { account, drops } = second.stats();
    const count = account.skipped[0]?.count ?? 0;
    assert.deepEqual(account.skipped, [{ program: 'skipped', count }]);
    assert.ok(count >= CALLS, String(count));
    assert.equal(drops['skipped'], count);
    for (let ticks = 0; ticks < 5; ticks++) await setTimeout(20).then(() => second.settle());
    assert.deepEqual(errors, [{ skipped: count, programs: { skipped: count } }]);
  });

  it('can be read for every attached program, also by an agent that resumed the sensor', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    for (const resumed of [false, true]) {
      await using collector = await startTestCollector(place, bus, { keepPinned: true });
      assert.equal(collector.stats().resumed, resumed);
      const readable = new Set(pinnedPrograms(place.pinPath).map(programOfPin));
      const hooks = pinnedHooks(place.pinPath).map(programOfLink);
      assert.ok(hooks.length > 100);
      assert.deepEqual(
        hooks.filter((hook) => !readable.has(hook)),
        [],
      );
    }
  });
});
