import assert from 'node:assert/strict';
import test from 'node:test';
import type { Step } from '@ringfence/base';
import { createTestHost } from '@ringfence/testkit';
import { createDetectorPipeline } from '../src/index.ts';
import { createFeed, createTestRules, found } from './support.ts';

test('each alert is traced from its event to its incident, and records are the same without tracing', () => {
  const host = createTestHost();
  const shell = host.spawn(host.init, '/bin/sh');
  host.exec(shell, '/tmp/dropped');
  const feed = createFeed(host);
  const first = feed.next();
  host.open(shell, '/etc/cron.d/job', 0o101);
  const second = feed.next();

  const steps: Step[] = [];
  const traced = createDetectorPipeline({ rules: createTestRules(), trace: (step) => void steps.push(step) });
  const plain = createDetectorPipeline({ rules: createTestRules() });
  const written = [first, second].map((records) => traced.handle(records));
  assert.deepEqual(
    written,
    [first, second].map((records) => plain.handle(records)),
  );

  const alerts = written.flatMap((effect) => found(effect).alerts);
  const [incident] = written.flatMap((effect) => found(effect).incidents);
  assert.equal(alerts.length, 2);
  for (const { id, events, timestamp } of alerts) {
    const own = steps.filter(({ alert }) => alert === id);
    assert.deepEqual(
      own.map(({ name }) => name),
      ['collect', 'bus', 'enrich', 'detect', 'incident'],
    );
    assert.equal(own[0]?.start, timestamp);
    assert.equal(own[0]?.attributes?.['ringfence.event.id'], events[0]);
    assert.equal(own[4]?.attributes?.['ringfence.incident.id'], incident?.id);
  }
});
