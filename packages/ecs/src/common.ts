import type { KeyObject } from 'node:crypto';
import { defined } from '@ringfence/base';
import { isoTime } from '@ringfence/fields';
import { attackTechnique, TACTIC_NAMES, tacticOf } from '@ringfence/rules';
import { type Container, type LineageProcess, type Role, verifyRecord } from '@ringfence/wire';

/** Returns a public key by its id if it may sign this kind of record. */
export type KeyLookup = (keyId: string) => KeyObject | undefined;

/** Key lookups by the role that writes a kind of record. */
export type KeyLookupByRole = (role: Role) => KeyLookup;

export type Document = Readonly<Record<string, unknown>>;

const INIT_PID = 1;

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
  const { id, name, image, runtime, labels, imageDigests } = container;
  // An incident keeps the labels of its container and no other details.
  const pod = container.pod || labels['io.kubernetes.pod.name'];
  const namespace = container.namespace || labels['io.kubernetes.pod.namespace'];
  const podUid = container.podUid || labels['io.kubernetes.pod.uid'];
  return {
    'container.id': id,
    'container.name': name,
    'container.image.name': image,
    ...(imageDigests.length === 0 ? {} : { 'container.image.hash.all': imageDigests }),
    'container.runtime': runtime,
    'container.labels': labels,
    ...(pod === undefined
      ? {}
      : defined({
          'orchestrator.type': 'kubernetes',
          'orchestrator.namespace': namespace,
          'orchestrator.resource.type': 'pod',
          'orchestrator.resource.name': pod,
          'orchestrator.resource.id': podUid,
        })),
  };
}

/** ECS lists a tactic's id besides its name; a tactic unknown to ATT&CK has no id. */
export function tacticFields(names: readonly string[]): Document {
  const tactics = names.map(tacticOf).filter((tactic) => tactic !== undefined);
  return { 'threat.tactic.id': tactics.map((tactic) => TACTIC_NAMES[tactic].id), 'threat.tactic.name': names };
}

/** ECS lists techniques and sub-techniques apart: T1059.004 is the sub-technique T1059.004 of the technique T1059. */
export function techniqueFields(ids: readonly string[]): Document {
  if (ids.length === 0) return {};
  const techniques = [...new Set(ids.map((id) => id.slice(0, 'T1059'.length)))];
  const subtechniques = ids.filter((id) => id.includes('.'));
  const namesOf = (of: readonly string[]): string[] => of.map((id) => attackTechnique(id)?.name ?? id);
  return {
    'threat.technique.id': techniques,
    'threat.technique.name': namesOf(techniques),
    'threat.technique.subtechnique.id': subtechniques,
    'threat.technique.subtechnique.name': namesOf(subtechniques),
  };
}

/** The incident's id, and the command that shows it, as text to copy. */
export const incidentFields = (id: string): Document =>
  id === '' ? {} : { 'ringfence.incident.id': id, 'ringfence.incident.command': `ringfence incident show ${id}` };

export type Ancestor = Pick<LineageProcess, 'entityId' | 'pid' | 'executable' | 'containerId'>;

/**
 * Returns the entry leader of a process, from which Elastic's Session View draws down: the first process of its
 * container, or on the host the eldest below init. `lineage`: the process, its parent, and so on.
 */
export function entryLeaderFields(lineage: readonly Ancestor[]): Document {
  const [process] = lineage;
  if (process === undefined) return {};
  const end = lineage.findIndex(({ containerId, pid }) => containerId !== process.containerId || pid === INIT_PID);
  const leader = end === -1 ? undefined : lineage[end - 1];
  if (leader === undefined) return {};
  return {
    'process.entry_leader.entity_id': leader.entityId,
    'process.entry_leader.pid': leader.pid,
    'process.entry_leader.executable': leader.executable,
  };
}

/** Elastic's own agent names this many ancestors. */
const MAX_ANCESTRY = 20;

/** Returns what Elastic Security's Analyzer asks for before it draws a process: the type of Elastic's own agent. */
export const analyzerFields = (lineage: readonly Ancestor[]): Document => ({
  'agent.type': 'endpoint',
  'process.Ext.ancestry': lineage.slice(1, 1 + MAX_ANCESTRY).map(({ entityId }) => entityId),
});

export const hostnameField = (hostname: string): Document => (hostname === '' ? {} : { 'host.name': hostname });

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
