import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContextSink, ThrottledCount } from '@ringfence/host-kit';
import type { BpfMap } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { ThrottledSource } from '../src/account/throttled-source.ts';

const { EXEC, FORK } = records.Kind;
const { THROTTLED, RING_FULL } = records.Drop;
const SECURITY = 0;

interface Lost {
  readonly cgroup: bigint;
  readonly lane: number;
  readonly kind: number;
  readonly cause: number;
  count: number;
}

/** A source whose map the test fills, and what it emitted. */
function sourceOf(lost: Lost[]): { source: ThrottledSource; emitted: ThrottledCount[]; seen: bigint[] } {
  const emitted: ThrottledCount[] = [];
  const seen: bigint[] = [];
  const source = new ThrottledSource({
    map: { entries: () => lost.map(({ count, ...key }) => [key, BigInt(count)]) } as unknown as BpfMap,
    total: () => lost.reduce((sum, { count }) => sum + count, 0),
    onCgroup: (cgroup) => seen.push(cgroup),
    pathOf: (cgroup) => (cgroup === 7n ? '/user.slice/flood.scope' : ''),
  });
  const sink = { throttled: (count: ThrottledCount) => emitted.push(count) };
  source.start(sink as unknown as ContextSink);
  return { source, emitted, seen };
}

const exec = (cgroup: bigint, count: number, cause: number = THROTTLED): Lost => ({
  ...{ cgroup, lane: SECURITY, kind: EXEC, cause, count },
});

test('losses are emitted by kind and cause, with the path of their cgroup and its total', () => {
  const lost = [exec(7n, 100)];
  const { source, emitted, seen } = sourceOf(lost);
  lost[0]!.count = 130;
  lost.push({ ...exec(7n, 5), kind: FORK }, exec(8n, 2, RING_FULL));
  source.tick();
  const of7 = { cgroup: 7n, lane: SECURITY, path: '/user.slice/flood.scope', total: 135, over: false };
  assert.deepEqual(emitted, [
    { ...of7, kind: 'exec', cause: 'throttled', count: 30 },
    { ...of7, kind: 'fork', cause: 'throttled', count: 5 },
    { cgroup: 8n, lane: SECURITY, kind: 'exec', cause: 'ring_full', count: 2, path: '', total: 2, over: false },
  ]);
  assert.deepEqual(seen, [7n, 7n, 8n]);
});

test('the end of a flood is emitted once, with the final total', () => {
  const lost: Lost[] = [];
  const { source, emitted } = sourceOf(lost);
  for (let n = 0; n < 30; n++) source.tick();
  assert.deepEqual(emitted, []);
  lost.push(exec(7n, 40));
  source.tick();
  lost[0]!.count = 41;
  for (let n = 0; n < 30; n++) source.tick();
  assert.deepEqual(
    emitted.map(({ count, total, over }) => [count, total, over]),
    [
      [40, 40, false],
      [1, 41, false],
      [0, 41, true],
    ],
  );
  lost[0]!.count = 42;
  for (let n = 0; n < 30; n++) source.tick();
  assert.deepEqual(
    emitted.slice(3).map(({ count, total, over }) => [count, total, over]),
    [
      [1, 42, false],
      [0, 42, true],
    ],
  );
});

test('a flood before the start of the agent is not emitted, not even its end', () => {
  const { source, emitted } = sourceOf([exec(7n, 40)]);
  for (let n = 0; n < 30; n++) source.tick();
  assert.deepEqual(emitted, []);
});
