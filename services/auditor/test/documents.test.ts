import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertDocument, commandDocument, incidentDocument, resultDocument } from '@ringfence/ecs';
import { createTestAlert, createTestCommand, createTestIncident, createTestResult } from '@ringfence/synthetic';
import { createSigningKey, encode, encodeSigned } from '@ringfence/wire';
import { operatorDocument } from '../src/elasticsearch/documents/operator.ts';
import { templateLines } from '../src/elasticsearch/template-files.ts';
import { createTestAction } from './support.ts';

test('documents contain trace ids: of the alert, of the alerts of an incident, of the alert that caused a command', () => {
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

test('documents contain ATT&CK tactics by id and by name, and both are searchable', () => {
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

test('the document of a result contains its key id, and whether a responder signed it', () => {
  const [key, foreignKey] = [createSigningKey(), createSigningKey()];
  const trusted = (keyId: string) => (keyId === key.keyId ? key.publicKey : undefined);
  const result = createTestResult(createTestCommand('c'));
  const signatureBy = (signer: typeof key | null) => {
    const document = resultDocument(encodeSigned('Result', result, signer), trusted);
    return [document['ringfence.signature.key_id'], document['ringfence.signature.verified']];
  };
  assert.deepEqual(signatureBy(key), [key.keyId, true]);
  assert.deepEqual(signatureBy(foreignKey), [foreignKey.keyId, false]);
  assert.deepEqual(signatureBy({ ...foreignKey, keyId: key.keyId }), [key.keyId, false]);
  assert.deepEqual(signatureBy(null), ['', false]);
});

test('the document of an operator names the user of the kernel as the user, and what is claimed as claimed', () => {
  const document = (action: string) =>
    operatorDocument(encode('OperatorAction', createTestAction(1, { action })), undefined);
  const shown = document('incident.show');
  assert.deepEqual(
    ['event.category', 'event.type', 'user.id', 'user.name', 'ringfence.operator.claimed_user'].map(
      (name) => shown[name],
    ),
    [['configuration'], ['access'], '0', 'root', 'ann'],
  );
  assert.deepEqual(shown['ringfence.operator.details'], ['state=triaged']);
  assert.deepEqual(
    [document('token.create')['event.category'], document('token.create')['event.type']],
    [['iam'], ['change']],
  );
});
