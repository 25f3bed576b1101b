import assert from 'node:assert/strict';
import test from 'node:test';
import { kernelMetrics } from '../src/app/metrics.ts';

test('what became of events in the kernel is a metric by kind and fate, and adds up over lanes', async () => {
  const metrics = kernelMetrics(() => [
    { lane: 0, kind: 'signal', seen: 3, sent: 3, drops: { read_fault: 1 } },
    { lane: 1, kind: 'open', seen: 5000, sent: 1000, drops: { unwatched: 3500, self: 400, ring_full: 99, scratch: 1 } },
    { lane: 0, kind: 'open', seen: 2, sent: 2, drops: {} },
  ]);
  const text = await metrics.registry.metrics();
  const values: Record<string, number> = Object.fromEntries(
    [...text.matchAll(/^ringfence_collector_kernel_events_total\{kind="open",fate="(\w+)"\} (\d+)$/gm)].map(
      ([, fate, value]) => [fate, Number(value)],
    ),
  );
  const { seen, ...fates } = values;
  assert.deepEqual(fates, { sent: 1002, filtered: 3900, merged: 0, throttled: 0, ring_full: 99, other_loss: 1 });
  assert.equal(
    Object.values(fates).reduce((sum, value) => sum + value, 0),
    seen,
  );
  assert.match(text, /kind="exec",fate="seen"\} 0$/m, 'a kind that never was stands at 0');
});
