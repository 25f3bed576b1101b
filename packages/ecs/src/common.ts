import type { KeyObject } from 'node:crypto';
import { isoTime } from '@ringfence/fields';
import { TACTIC_NAMES, tacticOf } from '@ringfence/rules';
import { type Container, type Role, verifyRecord } from '@ringfence/wire';

/** Returns a public key by its id if it may sign this kind of record. */
export type KeyLookup = (keyId: string) => KeyObject | undefined;

/** Key lookups by the role that writes a kind of record. */
export type KeyLookupByRole = (role: Role) => KeyLookup;

export type Document = Readonly<Record<string, unknown>>;

export const ECS_VERSION = '9.0.0';

/** Returns the fields that all documents have. */
export function baseFields(dataset: string, kind: string, micros: number, hostId: string): Document {
  return {
    '@timestamp': isoTime(micros),
    'ecs.version': ECS_VERSION,
    'event.kind': kind,
    'event.module': 'ringfence',
    'event.dataset': dataset,
    ...(hostId === '' ? {} : { 'host.id': hostId }),
  };
}

/** Returns the signing key's id, and whether the signature is valid; not verified when no keys are given. */
export function signatureFields(keyId: string, payload: Uint8Array, trusted: KeyLookup | undefined): Document {
  if (trusted === undefined) return keyId === '' ? {} : { 'ringfence.signature.key_id': keyId };
  const key = trusted(keyId);
  return {
    'ringfence.signature.key_id': keyId,
    'ringfence.signature.verified': key !== undefined && verifyRecord(key, payload),
  };
}

export function containerFields(container: Container | null): Document {
  if (container === null) return {};
  const { id, name, image, runtime, labels } = container;
  return {
    'container.id': id,
    'container.name': name,
    'container.image.name': image,
    'container.runtime': runtime,
    'container.labels': labels,
  };
}

/** ECS lists a tactic's id besides its name; a tactic unknown to ATT&CK has no id. */
export function tacticFields(names: readonly string[]): Document {
  const tactics = names.map(tacticOf).filter((tactic) => tactic !== undefined);
  return { 'threat.tactic.id': tactics.map((tactic) => TACTIC_NAMES[tactic].id), 'threat.tactic.name': names };
}

/** ECS severities of priorities; higher is worse. */
export const SEVERITY: Readonly<Record<string, number>> = {
  debug: 10,
  informational: 20,
  notice: 30,
  warning: 47,
  error: 73,
  critical: 90,
  alert: 95,
  emergency: 99,
};
