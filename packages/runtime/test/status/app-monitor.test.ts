import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedBus } from '@ringfence/bus';
import { startDetector } from '@ringfence/detector';
import { startEnricher } from '@ringfence/enricher';
import { createSyntheticHost } from '@ringfence/synthetic';
import { TOPIC, topicsWith } from '@ringfence/wire';
import type { App } from '../../src/app.ts';
import { AppMonitor, kernelMetrics } from '../../src/status/app-monitor.ts';

test('kernel events are counted by kind and outcome, added up over lanes', async () => {
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
  const { seen, ...outcomes } = values;
  assert.deepEqual(outcomes, { sent: 1002, filtered: 3900, merged: 0, throttled: 0, ring_full: 99, other_loss: 1 });
  assert.equal(
    Object.values(outcomes).reduce((sum, value) => sum + value, 0),
    seen,
  );
  assert.match(text, /kind="exec",fate="seen"\} 0$/m, 'a kind that never occurred is 0');
});

const THROTTLED = `
- rule: Shadow read
  desc: d
  condition: event.action = open and file.path = /etc/shadow
  throttle: { alerts: 1, per: 1h }
`;

test('suppressed alerts, evicted keys, late events and damaged entries of the detector are metrics', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rf-metrics-'));
  await writeFile(join(directory.path, 'rules.yaml'), THROTTLED);
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const host = createSyntheticHost();
  const enricher = await startEnricher({ bus, enrolment: { keyFor: () => host.key.publicKey } });
  const detector = await startDetector({ bus, rulePaths: [directory.path] });
  const monitor = new AppMonitor();
  monitor.setStarted({
    deployment: { bus },
    services: { detector },
    operators: { stats: () => ({ forwarded: 1, damaged: 0, failures: 0 }) },
    controlLink: null,
    tracer: null,
    done: detector.done,
  } as unknown as App);
  const shell = host.spawn(host.unseen(), '/bin/sh');
  for (let i = 0; i < 3; i++) host.open(shell, '/etc/shadow');
  await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
  while (detector.stats().heldAlerts < 2) await sleep(10);
  const texts = await Promise.all((await monitor.metrics()).map(({ registry }) => registry.metrics()));
  const metrics = Object.fromEntries(
    [...texts.join('').matchAll(/^ringfence_detector_(\w+) (\d+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
  const { held_alerts, forgotten_keys, late_events, damaged_entries } = metrics;
  assert.deepEqual([held_alerts, forgotten_keys, late_events, damaged_entries], [2, 0, 0, 0]);
  await detector.close();
  await enricher.close();
});
