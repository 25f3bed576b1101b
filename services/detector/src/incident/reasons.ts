import type { IncidentReason, ProcessInfo, ProcessName } from '@ringfence/wire';
import type { Chain, ChainProcess } from '../state/chain.ts';
import type { EdgeEnd } from '../state/edge-ends.ts';
import type { Host } from '../state/host.ts';
import { pathText, processName } from './action.ts';

const NONE: Omit<IncidentReason, 'kind'> = {
  rule: '',
  process: null,
  peer: null,
  distance: 0,
  objects: {},
  mergedChain: '',
  mergedBy: '',
};
const MAX_DEPTH = 64;

/** The first alert of a chain. */
export const OPENED: IncidentReason = { ...NONE, kind: 'opened' };

/** The same rule about the same hub. */
export const REPEATED: IncidentReason = { ...NONE, kind: 'repeated' };

/** `process`: the process of the alert (distance 0) or an ancestor of it, which the chain has already. */
export function processReason(chain: Chain, process: ProcessInfo, distance: number): IncidentReason {
  const reason: IncidentReason = { ...NONE, kind: 'process', process: processName(process), distance };
  const earlier = chain.alerts.findLast(({ entityId }) => entityId === process.entityId);
  return earlier === undefined
    ? { ...reason, ...alertBelow(chain, process.entityId) }
    : { ...reason, rule: earlier.rule };
}

/** Finds the latest alert below an ancestor that raised none, and the ancestor's child that leads to it. */
function alertBelow({ alerts, processes }: Chain, ancestorId: string): Partial<IncidentReason> {
  for (const { entityId, rule } of alerts.toReversed()) {
    let process = processes.get(entityId);
    for (let depth = 0; process !== undefined && depth < MAX_DEPTH; depth++) {
      if (process.parentEntityId === ancestorId) return { rule, peer: nameIn(process) };
      process = processes.get(process.parentEntityId);
    }
  }
  return {};
}

const nameIn = ({ entityId, pid, executable, user }: ChainProcess): ProcessName => ({
  ...{ entityId, pid, user },
  executable: pathText(executable),
});

/** `writer` wrote the file that `process` runs. */
export function writtenReason(writer: ProcessInfo, process: ProcessInfo | undefined, agoUs: number): IncidentReason {
  const objects: Record<string, string> = { 'process.exec.written_ago': String(agoUs / 1e6) };
  if (process !== undefined) objects['file.path'] = pathText(process.executable);
  const peer = process?.parent === undefined ? null : processName(process.parent);
  return { ...NONE, kind: 'written_file', process: processName(writer), peer, objects };
}

/** `client` connected to `server`; `objects`: the endpoint. */
export const connectionReason = (
  client: ProcessName,
  server: ProcessName,
  objects: IncidentReason['objects'],
): IncidentReason => ({ ...NONE, kind: 'connection', process: client, peer: server, objects });

export const sessionReason = (chain: Chain, session: number): IncidentReason => ({
  ...NONE,
  kind: 'session',
  rule: latestRule(chain),
  objects: { session: String(session) },
});

export const workloadReason = (chain: Chain, namespace: string, account: string): IncidentReason => ({
  ...NONE,
  kind: 'workload',
  rule: latestRule(chain),
  objects: { 'orchestrator.namespace': namespace, 'orchestrator.service_account': account },
});

/** Failed logins from the address of the chain's sessions. */
export const guessedLoginReason = (address: string): IncidentReason => ({
  ...NONE,
  kind: 'guessed_login',
  objects: { 'source.ip': address },
});

/** The session came from an address from which passwords were guessed. */
export const loginOriginReason = (chain: Chain, address: string): IncidentReason => ({
  ...NONE,
  kind: 'login_origin',
  rule: latestRule(chain),
  objects: { 'source.ip': address },
});

/** A process of the chain runs a file of the same content. */
export function sameFileReason(host: Host, { processes }: Chain, sha256: string): IncidentReason {
  const known = [...processes.values()].find(({ entityId }) => host.links.copies.get(entityId) === sha256);
  const process = known === undefined ? null : nameIn(known);
  return { ...NONE, kind: 'same_file', process, objects: { 'process.hash.sha256': sha256 } };
}

/** Chains of two hosts saw the same edge. */
export const sharedEdgeReason = ({
  kind,
  detail,
}: Pick<EdgeEnd, 'detail'> & { readonly kind: string }): IncidentReason => ({
  ...NONE,
  kind: 'shared_edge',
  objects: { 'edge.kind': kind, 'edge.detail': detail },
});

const latestRule = ({ alerts }: Chain): string => alerts.at(-1)?.rule ?? '';
