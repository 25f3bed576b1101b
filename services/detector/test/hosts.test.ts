import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { createTestHost, O } from '@ringfence/testkit';
import { compileDetectorRules, interestOf, readRuleFiles } from '../src/index.ts';
import { createFeed, createTestDetector, detectOne, TestStore } from './support.ts';

const SCAN = `
- rule: Many ports
  desc: Many ports
  condition: event.action = connect
  priority: critical
  threshold: { distinct: destination.port, at_least: 4, by: [process.name], within: 10s }
`;

test('hosts are separate, in chains and in thresholds', () => {
  const [a, b] = [createTestHost({ hostId: 'host-a' }), createTestHost({ hostId: 'host-b', ktime: 5_000_000_000 })];
  const detector = createTestDetector({}, SCAN);
  const [feedA, feedB] = [createFeed(a), createFeed(b)];
  a.connect(a.spawn(a.init, '/bin/nc'), '10.0.0.1', 1);
  b.connect(b.spawn(b.init, '/bin/nc'), '10.0.0.1', 2);
  a.connect(a.spawn(a.init, '/bin/nc'), '10.0.0.1', 3);
  b.connect(b.spawn(b.init, '/bin/nc'), '10.0.0.1', 4);
  assert.equal(detectOne(detector, [...feedA.next(), ...feedB.next()]).alerts.length, 0);
  for (const port of [5, 6]) a.connect(a.spawn(a.init, '/bin/nc'), '10.0.0.1', port);
  assert.equal(detectOne(detector, feedA.next()).alerts.length, 1);
});

test('after a reboot thresholds start again, and the counts of old boots are forgotten', async () => {
  const key = createTestHost().key;
  const detector = createTestDetector({}, SCAN);
  const store = new TestStore();
  const boot = (bootId: string, ktime: number): void => {
    const host = createTestHost({ key, bootId, ktime });
    for (const port of [1, 2, 3]) host.connect(host.spawn(host.init, '/bin/nc'), '10.0.0.1', port);
    const effect = detector.handle(createFeed(host).next());
    store.apply(effect);
    assert.equal(effect.outputs.length, 0);
  };
  for (let i = 0; i < 8; i++) boot(`boot-${i}`, 9_000_000_000 - i * 1_000_000_000);
  assert.equal(store.dump().filter((line) => line.startsWith('t/')).length, 4, 'the last four boots are remembered');
});

test('a chain of an earlier boot closes at the first tick of the next boot', () => {
  const key = createTestHost().key;
  const detector = createTestDetector();
  const before = createTestHost({ key, bootId: 'boot-1', ktime: 9_000_000_000 });
  before.credentials(before.spawn(before.init, '/bin/sh'), 0);
  assert.equal(detectOne(detector, createFeed(before).next()).incidents[0]?.state, 'open');
  const after = createTestHost({ key, bootId: 'boot-2', ktime: 1_000_000 });
  after.open(after.spawn(after.init, '/bin/sh'), '/etc/crontab', O.WRONLY);
  after.tick();
  assert.deepEqual(
    detectOne(detector, createFeed(after).next()).incidents.map(({ state }) => state),
    ['closed'],
  );
});

test('the built-in rules compile, and let the kernel filter opens', async () => {
  const sources = await readRuleFiles([fileURLToPath(new URL('../../../rules', import.meta.url))]);
  const rules = compileDetectorRules(sources);
  assert.deepEqual(
    rules.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  assert.ok(rules.rules.length >= 25);
  assert.notEqual(
    interestOf(rules).openPathPrefixes,
    null,
    'a rule matches opens for reading anywhere: every open would leave the kernel',
  );
});
