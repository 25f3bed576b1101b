import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '@ringfence/schema';
import { createTestAlert, createTestCommand, createTestIncident } from '@ringfence/testkit';
import { commandDocument } from '../src/elasticsearch/documents/action.ts';
import { alertDocument } from '../src/elasticsearch/documents/alert.ts';
import { incidentDocument } from '../src/elasticsearch/documents/incident.ts';

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
