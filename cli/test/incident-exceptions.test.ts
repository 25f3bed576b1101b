import assert from 'node:assert/strict';
import test from 'node:test';
import { compileDetectorRules, createDetectorPipeline } from '@ringfence/detector';
import { createEnricherPipeline } from '@ringfence/enricher';
import {
  createSyntheticHost as createTestHost,
  type SyntheticHost as TestHost,
  consumerRecords as testRecords,
} from '@ringfence/synthetic';
import { type Alert, decode, type Incident, TOPIC } from '@ringfence/wire';
import { exceptionsFor } from '../src/incident/exceptions-view.ts';

const CONDITION = 'event.action = open and file.path = /etc/shadow';
const rule = (condition: string): string => `
- rule: Hashes "read"
  desc: The password hashes are read
  condition: ${condition}
  priority: critical
`;

/** A backup in a container, one on the host, and somebody else who does the same. */
function played(): TestHost {
  const host = createTestHost();
  host.container({ cgroup: 7n, id: 'c7', image: 'house/backup:3' });
  const inside = host.exec(host.fork(host.init, { cgroup: 7n }), '/usr/bin/backup');
  host.open(host.spawn(inside, '/usr/bin/tar'), '/etc/shadow');
  host.open(host.spawn(host.spawn(host.init, '/usr/sbin/backup "nightly"'), '/usr/bin/tar'), '/etc/shadow');
  return host;
}

function raised(text: string, host: TestHost): { alerts: Alert[]; incidents: Incident[] } {
  const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
  const batches = enricher.handle(testRecords(host.hostId, [host.batch()])).outputs.flatMap(({ value }) => value ?? []);
  const rules = compileDetectorRules([{ name: 'rules.yaml', text }]);
  assert.deepEqual(rules.diagnostics, []);
  const { outputs } = createDetectorPipeline({ rules }).handle(testRecords(host.hostId, batches, TOPIC.events));
  const of = (topic: string) =>
    outputs.flatMap((out) => (out.topic === topic && out.value !== null ? [out.value] : []));
  return {
    alerts: of(TOPIC.alerts).map((value) => decode('Alert', value)),
    incidents: of(TOPIC.incidents).map((value) => decode('Incident', value)),
  };
}

test('what is printed for an incident silences its alerts and nobody else', () => {
  const { alerts, incidents } = raised(rule(CONDITION), played());
  assert.equal(alerts.length, 2);
  const [incident] = incidents as [Incident];
  const text = exceptionsFor({ incident, alerts, commands: [], results: [] });
  const name = /- macro: (\S+)/.exec(text)?.[1] ?? '';
  assert.match(text, new RegExp(`put this in front of its condition: not ${name} and`));
  const excepted = `${text}\n${rule(`not ${name} and ${CONDITION}`)}`;
  assert.deepEqual(raised(excepted, played()).alerts, []);
  const other = createTestHost();
  other.open(other.spawn(other.spawn(other.init, '/bin/bash'), '/usr/bin/tar'), '/etc/shadow');
  other.container({ cgroup: 8n, id: 'c8', image: 'house/shop:1' });
  const inside = other.exec(other.fork(other.init, { cgroup: 8n }), '/usr/bin/backup');
  other.open(other.spawn(inside, '/usr/bin/tar'), '/etc/shadow');
  assert.equal(raised(excepted, other).alerts.length, 2);
});
