import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestHost, type TestHost } from '@ringfence/testkit';
import { createFeed, createTestDetector, detectOne, TestStore } from './support.ts';

const TEXT = `
- rule: New port
  desc: A port that is new on its host
  condition: event.action = connect
  first_seen: { by: [destination.port], within: 1h, learn: 10s }
  priority: warning
  tags: [command-and-control, T1571]
`;
const HOUR_US = 3_600_000_000;

test('the memory of first_seen survives restarts and reboots of the host', async () => {
  const store = new TestStore();
  let detector = createTestDetector({}, TEXT);
  const restart = async (): Promise<void> => {
    detector = createTestDetector({}, TEXT);
    await detector.restore(store.entries());
  };
  /** Returns the number of alerts when a process connects to these ports. */
  const alertsOf = (host: TestHost, ports: readonly number[]): number => {
    host.tick();
    const shell = host.spawn(host.init, '/bin/bash');
    for (const port of ports) host.connect(shell, '10.0.0.1', port);
    const records = createFeed(host).next();
    return detectOne({ ...detector, handle: (batch) => keep(detector.handle(batch)) }, records).alerts.length;
  };
  const keep = (effect: ReturnType<typeof detector.handle>): typeof effect => {
    store.apply(effect);
    return effect;
  };
  const first = createTestHost();
  assert.equal(alertsOf(first, [80]), 0, 'it learns');
  await restart();
  first.tick(11);
  assert.equal(alertsOf(first, [80, 443]), 1);
  await restart();
  assert.equal(alertsOf(first, [443]), 0);
  const again = createTestHost({
    key: first.key,
    bootId: '00000000-0000-4000-8000-0000000000b1',
    run: 2n,
    ktime: 1_000_000,
    wallOffset: first.wallOffset + first.ktime,
  });
  assert.equal(alertsOf(again, [80, 443, 22]), 1, 'the new boot does not learn anew');
  again.ktime += HOUR_US;
  assert.equal(alertsOf(again, [80]), 1, 'an hour without it has passed');
  assert.equal(alertsOf(createTestHost({ hostId: '00000000-0000-4000-8000-000000000002' }), [80]), 0, 'another host');
});
