import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { compileDetectorRules, createDetectorPipeline } from '@ringfence/detector';
import { createEnricherPipeline } from '@ringfence/enricher';
import { consumerRecords, createSyntheticHost } from '@ringfence/synthetic';
import { type Alert, decode, TOPIC } from '@ringfence/wire';
import { loadPolicies, type Policy } from '../src/index.ts';
import { alertRecord, createTestPartition } from './support.ts';

const RULES = join(import.meta.dirname, '../../../rules');
const O_WRONLY_CREAT = 0o101;

/** The alerts of the built-in rules about a service that stores twenty files, under names that its clients choose. */
function alertsOfUploads(): Alert[] {
  const sources = readdirSync(RULES)
    .filter((name) => /(?<!\.test)\.yaml$/.test(name))
    .map((name) => ({ name, text: readFileSync(join(RULES, name), 'utf8') }));
  const host = createSyntheticHost();
  const service = host.spawn(host.init, '/usr/bin/upload-service');
  for (let file = 0; file < 20; file++) host.open(service, `/srv/uploads/${file}.docx.locked`, O_WRONLY_CREAT);
  const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
  const batches = enricher
    .handle(consumerRecords(host.hostId, [host.batch()]))
    .outputs.flatMap(({ value }) => value ?? []);
  const detector = createDetectorPipeline({ rules: compileDetectorRules(sources) });
  const { outputs } = detector.handle(consumerRecords(host.hostId, batches, TOPIC.events));
  return outputs.flatMap(({ topic, value }) =>
    topic === TOPIC.alerts && value !== null ? [decode('Alert', value)] : [],
  );
}

function killsOf(alerts: readonly Alert[], ...policies: string[]): string[] {
  const loaded = loadPolicies(policies.map((text, i) => ({ name: `policy-${i}.yaml`, text })));
  assert.deepEqual(loaded.problems, []);
  const partition = createTestPartition({ policies: loaded.policies as readonly Policy[] });
  const { commands } = partition.decide(...alerts.map((alert, i) => alertRecord(alert, i)));
  return commands.filter(({ mode }) => mode === 'enforce').map(({ executable, policy }) => `${policy} ${executable}`);
}

const BY_PRIORITY = 'policy: critical\nmode: enforce\nwhen: { priority: critical }\ndo: kill\n';

suite('a client of a service that chooses the names of its files', () => {
  const alerts = alertsOfUploads();

  test('makes a rule match for the service, which is not killed by default', () => {
    const alert = alerts.find(({ rule }) => rule === 'Many files encrypted');
    assert.deepEqual([alert?.priority, alert?.lineage[0]?.executable], ['critical', '/usr/bin/upload-service']);
    assert.deepEqual(killsOf(alerts), []);
  });

  test('has the service killed where a policy kills by priority, which is a known limit', () => {
    assert.deepEqual(killsOf(alerts, BY_PRIORITY), ['critical /usr/bin/upload-service']);
  });

  test('kills nothing where a policy names other rules, or one with a narrower scope observes', () => {
    const byName = BY_PRIORITY.replace('{ priority: critical }', '{ rules: [Reverse shell] }');
    assert.deepEqual(killsOf(alerts, byName), []);
    const [{ hostId } = { hostId: '' }] = alerts;
    const exception = `policy: uploads\nmode: observe\nscope: { host: ${hostId} }\nwhen: { priority: critical }\ndo: kill\n`;
    assert.deepEqual(killsOf(alerts, BY_PRIORITY, exception), []);
  });
});
