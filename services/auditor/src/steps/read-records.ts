import type { InRecord } from '@ringfence/bus';
import { incidentTitle, storyLines } from '@ringfence/incident-text';
import { decode, TOPIC } from '@ringfence/wire';
import type { AuditEntry } from '../sink.ts';
import { contentId, entryOf, type RecordReader, searchText } from './entry.ts';
import { createEventBatchReader } from './read-event-batch.ts';

/** Creates a reader for each topic the auditor consumes. */
export function createReaders({
  separateExecutions,
}: {
  readonly separateExecutions: boolean;
}): ReadonlyMap<string, RecordReader> {
  return new Map<string, RecordReader>([
    [TOPIC.alerts, readAlert],
    [TOPIC.incidents, readIncident],
    [TOPIC.commands, readCommand],
    [TOPIC.results, readResult],
    [TOPIC.enrolments, readEnrolment],
    [TOPIC.operator, readOperatorAction],
    [TOPIC.dlq, readDeadLetter],
    [TOPIC.events, createEventBatchReader(separateExecutions)],
  ]);
}

function readAlert(record: InRecord, value: Uint8Array): AuditEntry[] {
  const alert = decode('Alert', value);
  const process = alert.lineage[0];
  const { id, timestamp, hostId, container } = alert;
  const text = [
    alert.rule,
    alert.output,
    alert.description,
    ...alert.tactics,
    ...alert.techniques,
    ...(process === undefined ? [] : [process.executable, process.args, process.user]),
    ...(container === null ? [] : [container.id, container.name, container.image]),
  ];
  const entities = process === undefined ? [] : [process.entityId];
  return [entryOf(record, value, { kind: 'alert', id, timestamp, hostId, entities, text: searchText(text) })];
}

/** Stores every version; only the newest is listed and searched. */
function readIncident(record: InRecord, value: Uint8Array): AuditEntry[] {
  const incident = decode('Incident', value);
  const { id, version, hostId } = incident;
  const tactics = incident.stages.map(({ tactic }) => tactic);
  const text = [id, incidentTitle(incident), ...storyLines(incident), ...tactics];
  return [
    entryOf(record, value, {
      kind: 'incident',
      id: `${id}/${version}`,
      timestamp: incident.lastSeen,
      hostId,
      incident: { id, version },
      text: searchText(text),
    }),
  ];
}

function readCommand(record: InRecord, value: Uint8Array): AuditEntry[] {
  const command = decode('Command', value);
  const { id, hostId, cause, entityId } = command;
  const text = searchText([command.act, command.policy, command.reason, command.executable]);
  return [
    entryOf(record, value, {
      kind: 'command',
      id,
      timestamp: command.issuedAt,
      hostId,
      cause,
      entities: [entityId],
      text,
    }),
  ];
}

function readResult(record: InRecord, value: Uint8Array): AuditEntry[] {
  const { id, hostId, at, outcome, reason, executable } = decode('Result', value);
  const text = searchText([outcome, reason, executable]);
  return [entryOf(record, value, { kind: 'result', id, timestamp: at, hostId, text })];
}

/** Stores every version: it shows who could sign as which subject, and until when. */
function readEnrolment(record: InRecord, value: Uint8Array): AuditEntry[] {
  const { subject, role, signingKeyId, issuedAt, revokedAt, version } = decode('Enrolment', value);
  const id = `${subject}/${signingKeyId}/${version}`;
  const text = searchText([subject, role, signingKeyId, revokedAt === 0 ? 'enrolled' : 'revoked']);
  const hostId = role === 'agent' ? subject : '';
  return [entryOf(record, value, { kind: 'enrolment', id, timestamp: revokedAt || issuedAt, hostId, text })];
}

/** The action of a person: its id is the hash of its line in the operator log, which may be forwarded twice. */
function readOperatorAction(record: InRecord, value: Uint8Array): AuditEntry[] {
  const { id, at, hostId, action, target, reason, user, claimedUser, command, details } = decode(
    'OperatorAction',
    value,
  );
  const text = searchText([action, target, reason, user, claimedUser, command, ...Object.values(details)]);
  return [entryOf(record, value, { kind: 'operator', id, timestamp: at, hostId, cause: target, text })];
}

/** A dead letter has no timestamp; the bus's is used. */
function readDeadLetter(record: InRecord, value: Uint8Array): AuditEntry[] {
  const letter = decode('DeadLetter', value);
  const id = contentId(value);
  const text = searchText([letter.topic, letter.stage, letter.code, letter.reason]);
  return [entryOf(record, value, { kind: 'dlq', id, timestamp: record.timestamp, hostId: '', text })];
}
