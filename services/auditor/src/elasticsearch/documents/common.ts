import type { KeyObject } from 'node:crypto';
import { isoTime } from '@ringfence/fields';
import { TACTIC_NAMES, tacticOf } from '@ringfence/rules';
import { type Container, verifyRecord } from '@ringfence/wire';

/** Public half of a key by its id, when it may sign this kind of record. */
export type TrustedKeys = (keyId: string) => KeyObject | undefined;

/** The keys of those who write what is audited, by role. */
export type TrustedRoles = (role: 'detector' | 'responder') => TrustedKeys;

export type Document = Readonly<Record<string, unknown>>;

export const ECS_VERSION = '9.0.0';

/** What every document says of itself. */
export function head(dataset: string, kind: string, micros: number, hostId: string): Document {
  return {
    '@timestamp': isoTime(micros),
    'ecs.version': ECS_VERSION,
    'event.kind': kind,
    'event.module': 'ringfence',
    'event.dataset': dataset,
    ...(hostId === '' ? {} : { 'host.id': hostId }),
  };
}

/** Whose signature stands in a record, and whether it is theirs; not judged when we were given no keys. */
export function signatureOf(keyId: string, payload: Uint8Array, trusted: TrustedKeys | undefined): Document {
  if (trusted === undefined) return keyId === '' ? {} : { 'ringfence.signature.key_id': keyId };
  const key = trusted(keyId);
  return {
    'ringfence.signature.key_id': keyId,
    'ringfence.signature.verified': key !== undefined && verifyRecord(key, payload),
  };
}

export function containerOf(container: Container | null): Document {
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

/** ECS has a tactic's number beside its name; one that ATT&CK doesn't know has none. */
export function tacticFields(names: readonly string[]): Document {
  const known = names.map(tacticOf).filter((tactic) => tactic !== undefined);
  return { 'threat.tactic.id': known.map((tactic) => TACTIC_NAMES[tactic].id), 'threat.tactic.name': names };
}

/** Priorities as ECS severities: higher is worse. */
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
