import { decode, type OperatorAction } from '@ringfence/wire';
import { baseFields, type Document, type KeyLookup, signatureFields } from './common.ts';

/** Subjects of actions that decide who may speak in the fleet */
const IAM: ReadonlySet<string> = new Set(['token', 'service', 'authority', 'member']);
/** Actions that only disclose evidence */
const ACCESS_ONLY = /\.(?:show|export|exception|record)$/;

export function operatorDocument(payload: Uint8Array, trusted: KeyLookup | undefined): Document {
  const action = decode('OperatorAction', payload);
  return { ...operatorBody(action), ...signatureFields(action.keyId, payload, trusted) };
}

/** Returns the document without the standing of its signature. */
export function operatorBody(action: OperatorAction): Document {
  const { id, at, hostId, hostname, target, reason, uid, user, claimedUid, claimedUser, origin, command, pid } = action;
  const isIam = IAM.has(action.action.split('.')[0] ?? '');
  return {
    ...baseFields('ringfence.actions', 'event', at, hostId),
    message: [action.action, target, reason].filter((part) => part !== '').join(' '),
    'event.id': id,
    'event.action': action.action,
    'event.category': [isIam ? 'iam' : 'configuration'],
    'event.type': [ACCESS_ONLY.test(action.action) ? 'access' : 'change'],
    'event.reason': reason,
    'host.hostname': hostname,
    ...(uid < 0 ? {} : { 'user.id': String(uid), 'user.name': user }),
    ...(pid < 0 ? {} : { 'process.pid': pid }),
    'process.command_line': command,
    'ringfence.operator.target': target,
    'ringfence.operator.origin': origin,
    ...(claimedUid < 0 ? {} : { 'ringfence.operator.claimed_uid': claimedUid }),
    ...(claimedUser === '' ? {} : { 'ringfence.operator.claimed_user': claimedUser }),
    // As text, because arbitrary names must not become fields.
    'ringfence.operator.details': Object.entries(action.details).map(([name, value]) => `${name}=${value}`),
  };
}
