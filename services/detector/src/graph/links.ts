import { escapeText, type IncidentReason, KIND, leaf, processLeaf, UNSET_ID } from '@ringfence/wire';
import {
  guessedLoginReason,
  loginOriginReason,
  sameFileReason,
  sessionReason,
  workloadReason,
} from '../incident/reasons.ts';
import type { Chain } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import type { HandledEvent } from './handled-event.ts';
import { ancestorsOf, isListener, isManager } from './hubs.ts';
import type { ChainLink } from './process-links.ts';

/** A key, other than a process, that an alert can share with a chain, and the reason of that link. */
interface SharedKey {
  readonly key: string;
  readonly reason: (chain: Chain) => IncidentReason;
  /** false: the key links the alert to a chain that has the key, but is not added to a chain. @default true */
  readonly owned?: boolean;
}

const PATH_MAX = 128;

/** Returns the keys that an event shares with every other event of the same session, workload, file or address. */
export function sharedKeys(host: Host, event: HandledEvent): SharedKey[] {
  const hashes = event.lineage.flatMap(({ entityId }) => host.links.copies.get(entityId) ?? []);
  return [...new Set(hashes)]
    .filter((sha256) => !host.links.installed.has(sha256))
    .map((sha256): SharedKey => ({ key: hashKey(sha256), reason: (chain) => sameFileReason(host, chain, sha256) }))
    .concat(sessionOf(event) ?? [], workloadOf(event) ?? [])
    .concat(guessOf(event) ?? [], loginOrigins(host, event));
}

/** Returns the chains of the host that have one of the keys. */
export const chainsSharing = (host: Host, keys: readonly SharedKey[]): ChainLink[] =>
  keys.flatMap(({ key, reason }): ChainLink[] => {
    const chain = host.byKey.get(key);
    return chain === undefined ? [] : [{ chain, reason: () => reason(chain) }];
  });

/** Returns the chains that this process tree was recently connected with, the newest connection first. */
export function connectedChains(host: Host, { root, view }: HandledEvent, withinUs: number): ChainLink[] {
  if (root === undefined) return [];
  const recent = (host.links.peers.get(root.entityId) ?? [])
    .toReversed()
    .filter(({ ktime, endpoint }) => view.cursor.ktime - ktime <= withinUs && host.links.isFew(endpoint));
  return recent.flatMap((peer): ChainLink[] => {
    const chain = host.byKey.get(peer.root);
    return chain === undefined ? [] : [{ chain, reason: () => peer.reason }];
  });
}

export const hashKey = (sha256: string): string => `hash ${sha256}`;

/** Links processes of one login session, found running or not. In a container the id means nothing. */
function sessionOf({ view, lineage }: HandledEvent): SharedKey | undefined {
  const [process] = lineage;
  if (process === undefined || process.container >= 0) return undefined;
  const sessionId = process.long(processLeaf.sessionId);
  if (sessionId === UNSET_ID || sessionId === 0) return undefined;
  // The service manager of a user starts a whole desktop in one session.
  const above = lineage.at(-1)?.parent;
  if (above !== undefined && isManager(above) && above.long(processLeaf.sessionId) === sessionId) return undefined;
  return {
    key: `session ${view.head.bootId}/${sessionId}`,
    reason: (chain) => sessionReason(chain, sessionId),
  };
}

/** Links the pods of one workload, which share an image and a service account. */
function workloadOf({ view: { container }, lineage }: HandledEvent): SharedKey | undefined {
  if (container === undefined || lineage.length === 0) return undefined;
  const { namespace, serviceAccount, image } = container;
  if (namespace === '' || serviceAccount === '' || serviceAccount === 'default') return undefined;
  const [namespaceText, accountText] = [escapeText(namespace), escapeText(serviceAccount)] as const;
  const name = `${namespaceText}/${accountText}`.slice(0, PATH_MAX);
  return {
    key: `workload ${name} ${image.slice(0, 256)}`,
    reason: (chain) => workloadReason(chain, namespaceText, accountText),
  };
}

/** Links failed logins from one address. Only lines that sshd wrote count: any process can write a similar line. */
function guessOf(event: HandledEvent): SharedKey | undefined {
  const { cursor, process } = event.view;
  if (cursor.kind !== KIND.Log || process === undefined) return undefined;
  if (cursor.leafText(leaf.Log.action) !== 'ssh-login' || cursor.leafText(leaf.Log.outcome) !== 'failure')
    return undefined;
  if (cursor.leafText(leaf.Log.origin) === 'filebeat' || !isListener(process) || !event.isHub(process))
    return undefined;
  const address = escapeText(cursor.leafText(leaf.Log.sourceAddress)).slice(0, PATH_MAX);
  if (address === '') return undefined;
  return { key: guessKey(address), reason: () => guessedLoginReason(address) };
}

/** Links a session to the failed logins from its address. The address does not link two sessions. */
function loginOrigins(host: Host, { view }: HandledEvent): SharedKey[] {
  const ends = [...ancestorsOf(view)].flatMap(({ entityId }) => host.network.sessions.get(entityId) ?? []);
  const accepted = ends.filter(({ side }) => side === 'destination');
  return accepted.map(({ source: address }): SharedKey => {
    const reason = (chain: Chain): IncidentReason => loginOriginReason(chain, address);
    return { key: guessKey(address), reason, owned: false };
  });
}

const guessKey = (address: string): string => `guess ${address}`;
