import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { compileDetectorRules, createDetectorPipeline } from '@ringfence/detector';
import { createEnricherPipeline } from '@ringfence/enricher';
import { catalogue, documentOf, eventKinds } from '@ringfence/fields';
import { consumerRecords, createSyntheticHost } from '@ringfence/synthetic';
import { decode, EventView, maskSecrets, TOPIC } from '@ringfence/wire';
import { eventLine } from '../src/lists/view.ts';
import { plain, ringfence } from './support.ts';

const part = (): string => randomBytes(32).toString('base64url');
const TOKEN = `rft1.${part()}.${part()}`;
const PASSWORD = 'hunter2/with=signs';
const COMMANDS = [
  ['ringfence', 'enrol', '--token', TOKEN],
  ['ringfence', 'enrol', `--token=${TOKEN}`],
  ['ringfence', 'up', '--set', `redis.password=${PASSWORD}`, '--set', `auditor.elasticsearch.apiKey=${PASSWORD}`],
  ['env', `RINGFENCE_REDIS_PASSWORD=${PASSWORD}`, 'ringfence', 'up'],
  ['sh', '-c', `ringfence enrol --token ${TOKEN} && ringfence up --set metrics.token=${PASSWORD}`],
];
const RULE = `
- rule: Program started
  desc: A program was started
  condition: event.action = exec and process.args exists
  output: "%process.command_line, %process.args"
  priority: critical
`;

test("Ringfence's own secrets are in no alert, incident or document of an event", () => {
  const host = createSyntheticHost();
  const shell = host.spawn(host.init, '/bin/bash');
  for (const command of COMMANDS) host.spawn(shell, '/usr/bin/env', command);
  const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
  const batches = enricher
    .handle(consumerRecords(host.hostId, [host.batch()]))
    .outputs.flatMap(({ value }) => value ?? []);
  const rules = compileDetectorRules([{ name: 'rules.yaml', text: RULE }]);
  const { outputs } = createDetectorPipeline({ rules }).handle(consumerRecords(host.hostId, batches, TOPIC.events));
  const texts = outputs.flatMap(({ topic, value }) => {
    if (value === null || (topic !== TOPIC.alerts && topic !== TOPIC.incidents)) return [];
    return JSON.stringify(decode(topic === TOPIC.alerts ? 'Alert' : 'Incident', value));
  });
  assert.ok(texts.length > COMMANDS.length);
  const view = new EventView();
  for (const batch of batches)
    for (view.open(batch); view.next(); ) {
      const document = documentOf(view, catalogue.fields, eventKinds.names[view.cursor.kind] ?? '');
      texts.push(JSON.stringify(document), eventLine(plain, document));
    }
  const shown = texts.filter((text) => text.includes('***'));
  assert.ok(shown.length >= 3 * COMMANDS.length, `${shown.length} texts with a mask`);
  for (const text of texts)
    for (const secret of [TOKEN, ...TOKEN.split('.').slice(1), PASSWORD]) assert.ok(!text.includes(secret), text);
});

test('other words of a command line are not masked', () => {
  for (const text of [
    'curl --token abc',
    'mysql -p password=x',
    'cat rft1.txt.gz',
    'a.b=c',
    'ringfence token --role x',
  ])
    assert.equal(maskSecrets(text), text);
});

test('enrol takes its token from a file or from standard input', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-token-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'token');
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });
  // No process listens on port 9 (discard) of this machine, so a token that was read leads to a refused connection.
  const enrol = (...args: string[]) =>
    ringfence(['enrol', '--registrar', 'https://127.0.0.1:9', '--role', 'enricher', '--state-dir', directory, ...args]);
  assert.match((await enrol('--token-file', file)).stderr, /ECONNREFUSED/);
  writeFileSync(file, 'not a token');
  assert.match((await enrol('--token-file', file)).stderr, /not an enrolment token/);
  assert.match((await enrol('--token-file', join(directory, 'missing'))).stderr, /missing cannot be read/);
  assert.match((await enrol()).stderr, /--token-file/);
});
