import { isoTime } from '@ringfence/fields';
import { askedOf, type Command, decode, executableName, type Result } from '@ringfence/wire';
import { baseFields, type Document, incidentFields, type KeyLookup, signatureFields } from './common.ts';

/** ECS outcomes of results: an observed order was never sent, and a process that was gone needed none. */
const SUCCESS: Readonly<Record<string, string>> = { executed: 'success', observed: 'unknown', gone: 'unknown' };

const ALERT_ID = /^[0-9a-f]{32}$/;

export function commandDocument(payload: Uint8Array, trusted: KeyLookup | undefined): Document {
  const command = decode('Command', payload);
  return { ...commandBody(command), ...signatureFields(command.keyId, payload, trusted) };
}

/** Returns the document without the standing of its signature. */
export function commandBody(command: Command): Document {
  return {
    ...baseFields('ringfence.actions', 'event', command.issuedAt, command.hostId),
    message: command.reason,
    'host.boot.id': command.bootId,
    'event.id': command.id,
    'event.action': `${command.act}-ordered`,
    'event.reason': command.reason,
    // A cause that is an incident has no trace of its own; its document lists the traces.
    ...(ALERT_ID.test(command.cause) ? { 'trace.id': command.cause } : incidentFields(command.cause)),
    'process.entity_id': command.entityId,
    'process.pid': command.pid,
    'process.executable': command.executable,
    'process.name': executableName(command.executable),
    'ringfence.command.id': command.id,
    'ringfence.command.action': command.act,
    'ringfence.command.mode': askedOf(command),
    'ringfence.command.policy': command.policy,
    'ringfence.command.cause': command.cause,
    'ringfence.command.expires': isoTime(command.expiresAt),
  };
}

export function resultDocument(payload: Uint8Array, trusted: KeyLookup | undefined): Document {
  const result = decode('Result', payload);
  return { ...resultBody(result), ...signatureFields(result.keyId, payload, trusted) };
}

/** Returns the document without the standing of its signature. */
export function resultBody(result: Result): Document {
  return {
    ...baseFields('ringfence.actions', 'event', result.at, result.hostId),
    message: `${result.outcome}${result.reason === '' ? '' : `: ${result.reason}`}`,
    'event.id': result.id,
    'event.action': result.outcome,
    'event.reason': result.reason,
    'event.outcome': SUCCESS[result.outcome] ?? 'failure',
    'process.executable': result.executable,
    'ringfence.command.id': result.id,
    'ringfence.result.outcome': result.outcome,
  };
}
