import { isoTime } from '@ringfence/fields';
import { decode } from '@ringfence/wire';
import { type Document, head, signatureOf, type TrustedKeys } from './common.ts';

const ALERT = /^[0-9a-f]{32}$/;

export function commandDocument(payload: Uint8Array, trusted: TrustedKeys | undefined): Document {
  const command = decode('Command', payload);
  return {
    ...head('ringfence.actions', 'event', command.issuedAt, command.hostId),
    message: command.reason,
    'host.boot.id': command.bootId,
    'event.id': command.id,
    'event.action': `${command.action}-ordered`,
    'event.reason': command.reason,
    // The cause is an alert or an incident, whose document names its own.
    ...(ALERT.test(command.cause) ? { 'trace.id': command.cause } : {}),
    'process.entity_id': command.entityId,
    'process.pid': command.pid,
    'process.executable': command.executable,
    'ringfence.command.id': command.id,
    'ringfence.command.action': command.action,
    'ringfence.command.mode': command.mode,
    'ringfence.command.policy': command.policy,
    'ringfence.command.cause': command.cause,
    'ringfence.command.expires': isoTime(command.expiresAt),
    ...signatureOf(command.keyId, payload, trusted),
  };
}

export function resultDocument(payload: Uint8Array, trusted: TrustedKeys | undefined): Document {
  const result = decode('Result', payload);
  return {
    ...head('ringfence.actions', 'event', result.at, result.hostId),
    message: `${result.outcome}${result.reason === '' ? '' : `: ${result.reason}`}`,
    'event.id': result.id,
    'event.action': result.outcome,
    'event.reason': result.reason,
    'process.executable': result.executable,
    'ringfence.command.id': result.id,
    'ringfence.result.outcome': result.outcome,
    ...signatureOf(result.keyId, payload, trusted),
  };
}
