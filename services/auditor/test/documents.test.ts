import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertDocument, commandDocument, incidentDocument, operatorDocument, resultDocument } from '@ringfence/ecs';
import {
  createTestAction,
  createTestAlert,
  createTestCommand,
  createTestIncident,
  createTestLineage,
  createTestResult,
} from '@ringfence/synthetic';
import { createSigningKey, encode, encodeSigned } from '@ringfence/wire';
import { templateLines } from '../src/elasticsearch/template-files.ts';

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

test('documents of an alert and of its incident share the incident and the command that shows it', () => {
  const incident = createTestIncident([createTestAlert(1)], 1);
  const alert = { ...createTestAlert(1), incident: incident.id };
  const documents = [
    alertDocument(encode('Alert', alert), undefined),
    incidentDocument(encode('Incident', incident), undefined),
    commandDocument(encode('Command', createTestCommand(incident.id)), undefined),
  ];
  for (const document of documents) {
    assert.equal(document['ringfence.incident.id'], incident.id);
    assert.equal(document['ringfence.incident.command'], `ringfence incident show ${incident.id}`);
  }
  assert.equal(documents[0]?.['host.name'], 'web-1');
});

test('techniques and sub-techniques are apart, each with its name', () => {
  const techniques = ['T1059.004', 'T1059.006', 'T1105', 'T9999'];
  const document = alertDocument(encode('Alert', createTestAlert(1, { techniques })), undefined);
  assert.deepEqual(document['threat.technique.id'], ['T1059', 'T1105', 'T9999']);
  const names = ['Command and Scripting Interpreter', 'Ingress Tool Transfer', 'T9999'];
  assert.deepEqual(document['threat.technique.name'], names);
  assert.deepEqual(document['threat.technique.subtechnique.id'], ['T1059.004', 'T1059.006']);
  assert.deepEqual(document['threat.technique.subtechnique.name'], ['Unix Shell', 'Python']);
});

test('the entry leader is the first process of the container, or on the host the eldest below init', () => {
  const ids = [100, 90, 80, 1].map(createTestLineage);
  const leaderOf = (lineage: typeof ids) =>
    alertDocument(encode('Alert', createTestAlert(1, { lineage })), undefined)['process.entry_leader.pid'];
  assert.equal(leaderOf(ids), 80);
  assert.equal(leaderOf(ids.map((one) => (one.pid >= 90 ? { ...one, containerId: 'c' } : one))), 90);
  // Without init the eldest is not known: the lineage is cut.
  assert.equal(leaderOf(ids.slice(0, 3)), undefined);
  assert.equal(leaderOf([]), undefined);
});

test("documents pass for those of Elastic's own agent only if the setting asks for it", () => {
  const lineage = [100, 90, 80].map(createTestLineage);
  const payload = encode('Alert', createTestAlert(1, { lineage }));
  const [plain, analyzed] = [alertDocument(payload, undefined), alertDocument(payload, undefined, true)];
  assert.equal(plain['agent.type'], undefined);
  assert.equal(analyzed['agent.type'], 'endpoint');
  assert.deepEqual(
    analyzed['process.Ext.ancestry'],
    [90, 80].map((pid) => createTestLineage(pid).entityId),
  );
});
