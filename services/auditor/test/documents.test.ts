import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestAlert, createTestCommand, createTestIncident, createTestResult } from '@ringfence/testkit';
import { createSigningKey, encode, encodeSigned } from '@ringfence/wire';
import { commandDocument, resultDocument } from '../src/elasticsearch/documents/action.ts';
import { alertDocument } from '../src/elasticsearch/documents/alert.ts';
import { incidentDocument } from '../src/elasticsearch/documents/incident.ts';
import { templateLines } from '../src/elasticsearch/template-files.ts';

test('documents name their traces: an alert its own, an incident those of its alerts, a command that of the alert it answers', () => {
  const alerts = [createTestAlert(1), createTestAlert(2)];
  const [first] = alerts;
  assert.ok(first);
  assert.match(first.id, /^[0-9a-f]{32}$/);
  assert.equal(alertDocument(encode('Alert', first), undefined)['trace.id'], first.id);
  const incident = createTestIncident(alerts, 1);
  assert.deepEqual(
    incidentDocument(encode('Incident', incident), undefined)['trace.id'],
    alerts.map(({ id }) => id),
  );
  const command = createTestCommand(first.id);
  const traceOf = (cause: string) => commandDocument(encode('Command', { ...command, cause }), undefined)['trace.id'];
  assert.equal(traceOf(first.id), first.id);
  assert.equal(traceOf(incident.id), undefined);
});

test('tactics of ATT&CK stand in documents by number and by name, and are found by both', () => {
  const first = createTestAlert(1);
  const tactics = ['execution', 'defense-impairment', 'constructor'];
  const alert = alertDocument(encode('Alert', { ...first, tactics }), undefined);
  const stages = ['stealth', 'execution', 'stealth'].map((tactic) => ({ tactic, techniques: [], firstSeen: 1 }));
  const incident = incidentDocument(encode('Incident', { ...createTestIncident([first], 1), stages }), undefined);
  assert.deepEqual(
    [alert, incident].map((document) => [document['threat.tactic.id'], document['threat.tactic.name']]),
    [
      [['TA0002', 'TA0112'], tactics],
      [
        ['TA0005', 'TA0002'],
        ['stealth', 'execution'],
      ],
    ],
  );
  const mapped = templateLines()
    .split('\n')
    .filter((line) => /"tactic":\{"properties":\{"id":\{"type":"keyword"/.test(line))
    .map((line) => (JSON.parse(line) as { put: string }).put);
  assert.deepEqual(mapped, ['/_component_template/ringfence-ecs', '/_component_template/ringfence-incidents']);
});

test('a result says whose signature it has, and whether a responder has made it', () => {
  const [key, stranger] = [createSigningKey(), createSigningKey()];
  const trusted = (keyId: string) => (keyId === key.keyId ? key.publicKey : undefined);
  const result = createTestResult(createTestCommand('c'));
  const said = (by: typeof key | null) => {
    const document = resultDocument(encodeSigned('Result', result, by), trusted);
    return [document['ringfence.signature.key_id'], document['ringfence.signature.verified']];
  };
  assert.deepEqual(said(key), [key.keyId, true]);
  assert.deepEqual(said(stranger), [stranger.keyId, false]);
  assert.deepEqual(said({ ...stranger, keyId: key.keyId }), [key.keyId, false]);
  assert.deepEqual(said(null), ['', false]);
});
