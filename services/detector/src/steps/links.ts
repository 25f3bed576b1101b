import {
  addressText,
  type EventView,
  escapeText,
  KIND,
  leaf,
  type ProcessInfo,
  records,
  UNSET_ID,
} from '@ringfence/wire';
import type { Chain } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import type { Tie } from '../state/ties.ts';
import { climb, type IsAgent, isHub, isListener, isManager } from './hubs.ts';
import { peerOf } from './ties.ts';
import { named } from './words.ts';

export interface LinkDeps {
  readonly isAgent: IsAgent;
  /** how long a connection ties, µs */
  readonly withinUs: number;
  /** Two chains of a host turned out to be one attack. */
  readonly unite: (host: Host, a: Chain, b: Chain, why: string) => void;
  /** The key is the chain's from now on. */
  readonly tie: (host: Host, chain: Chain, key: string) => void;
}

/** What an alert may share with a chain besides processes, and why that makes them one. */
export interface Shared {
  readonly key: string;
  readonly why: (chain: Chain) => string;
  /** false: the alert belongs to the chain that has the key, and does not give it to its own. @default true */
  readonly owned?: boolean;
}

const SHOWN_HASH = 12;
const PATH_MAX = 128;
const MAX_ANCESTORS = 32;
const { AF_UNIX } = records.AddressFamily;

/** What ties chains of one host together other than lineage: connections within it, login sessions, workloads, and files of one content. */
export class LinkStep {
  readonly #deps: LinkDeps;

  constructor(deps: LinkDeps) {
    this.#deps = deps;
  }

  note(host: Host, event: EventView): void {
    const { kind } = event.cursor;
    if (kind === KIND.Connect) this.#connected(host, event);
    else if (kind === KIND.Socket) this.#listens(host, event);
    else if (event.writer !== undefined && (kind === KIND.Exec || kind === KIND.Hash)) this.#ranWritten(host, event);
    else if (kind === KIND.Hash) this.#installed(host, event);
  }

  /** What the alert of `climbed` shares with whoever has the same: keys of chains. */
  sharedOf(host: Host, event: EventView, climbed: readonly ProcessInfo[]): Shared[] {
    const hashes = climbed.flatMap(({ entityId }) => host.links.copies.get(entityId) ?? []);
    return [...new Set(hashes)]
      .filter((sha256) => !host.links.installed.has(sha256))
      .map((sha256): Shared => ({ key: hashKey(sha256), why: (chain) => whySameFile(host, chain, sha256) }))
      .concat(sessionOf(event, climbed) ?? [], workloadOf(event, climbed) ?? [])
      .concat(guessOf(event, this.#deps.isAgent) ?? [], cameFrom(host, event));
  }

  /** Chains that a tree of processes has lately been connected with, the newest first. */
  *peersOf(host: Host, root: string, ktime: number): Generator<{ readonly chain: Chain; readonly why: string }> {
    for (const peer of (host.links.peers.get(root) ?? []).toReversed()) {
      const chain = host.byKey.get(peer.root);
      const holds = ktime - peer.ktime <= this.#deps.withinUs && host.links.isFew(peer.endpoint);
      if (chain !== undefined && holds) yield { chain, why: peer.why };
    }
  }

  #listens(host: Host, event: EventView): void {
    const { cursor, process } = event;
    if (process === undefined || cursor.leafLong(leaf.Socket.result) < 0) return;
    if (cursor.leafLong(leaf.Socket.operation) !== records.SocketOperation.SOCKET_LISTEN) return;
    const unix = cursor.leafLong(leaf.Socket.family) === AF_UNIX;
    const endpoint = unix
      ? unixEnd(process, cursor.leafText(leaf.Socket.pathBytes))
      : tcpEnd(process, cursor.leafLong(leaf.Socket.port));
    const root = climb(event, process, this.#deps.isAgent).at(-1);
    if (root === undefined || endpoint === undefined) return;
    host.links.servers.set(endpoint, { root: root.entityId, name: named(process), clients: [] });
  }

  #connected(host: Host, event: EventView): void {
    const { cursor, process } = event;
    const { links } = host;
    const result = cursor.leafLong(leaf.Connect.result);
    if (links.servers.size === 0 || process === undefined || (result < 0 && result !== -records.Errno.EINPROGRESS))
      return;
    const unix = cursor.leafLong(leaf.Connect.family) === AF_UNIX;
    const path = unix ? cursor.leafText(leaf.Connect.pathBytes) : '';
    const address = unix
      ? undefined
      : addressText(cursor.buffer, cursor.leafAt(leaf.Connect.address), cursor.leafLength(leaf.Connect.address));
    const port = cursor.leafLong(leaf.Connect.port);
    const endpoint = unix ? unixEnd(process, path) : isLoopback(address) ? tcpEnd(process, port) : undefined;
    const server = endpoint === undefined ? undefined : links.servers.get(endpoint);
    if (endpoint === undefined || server === undefined) return;
    const root = climb(event, process, this.#deps.isAgent).at(-1)?.entityId;
    if (root === undefined || root === server.root || !links.serves(endpoint, server, root)) return;
    const place = unix ? escapeText(path).slice(0, PATH_MAX) : `${address} port ${port}`;
    const why = `${named(process)} connected to ${place}, where ${server.name} listens`;
    const { ktime } = cursor;
    links.addPeer(root, { root: server.root, endpoint, why, ktime });
    links.addPeer(server.root, { root, endpoint, why, ktime });
    this.#uniteIfTwo(host, host.byKey.get(root), host.byKey.get(server.root), why);
  }

  #installed({ links }: Host, { cursor }: EventView): void {
    const hex = cursor.leafBytes(leaf.Hash.sha256).toString('hex');
    if (hex !== '' && !links.installed.has(hex)) links.installed.set(hex, true);
  }

  /** A process runs what another one wrote: from now on the content is known, and who runs the same elsewhere. */
  #ranWritten(host: Host, event: EventView): void {
    const { process, writer } = event;
    if (process === undefined || writer === undefined || process.raw.container !== writer.raw.container) return;
    const script = event.cursor.kind === KIND.Hash && event.cursor.leafBoolean(leaf.Hash.script);
    const sha256 = script ? process.raw.scriptSha256 : process.raw.sha256;
    if (sha256.length === 0 || climb(event, writer, this.#deps.isAgent).length === 0) return;
    const hex = Buffer.from(sha256).toString('hex');
    host.links.copies.set(process.entityId, hex);
    if (host.links.installed.has(hex)) return;
    const own = climb(event, process, this.#deps.isAgent).map(({ entityId }) => host.byKey.get(entityId));
    const chain = own.find((one) => one !== undefined) ?? host.byKey.get(writer.entityId);
    if (chain === undefined) return;
    const other = host.byKey.get(hashKey(hex));
    if (other === undefined) this.#deps.tie(host, chain, hashKey(hex));
    else this.#uniteIfTwo(host, chain, other, whySameFile(host, other, hex));
  }

  #uniteIfTwo(host: Host, a: Chain | undefined, b: Chain | undefined, why: string): void {
    if (a !== undefined && b !== undefined && a !== b) this.#deps.unite(host, a, b, why);
  }
}

const hashKey = (sha256: string): string => `hash ${sha256}`;
const isLoopback = (address: string | undefined): boolean => address !== undefined && /^(127\.|::1$)/.test(address);
const tcpEnd = (process: ProcessInfo, port: number): string => `tcp ${process.raw.namespaces.net} ${port}`;

/** A name begins with NUL and is of the network namespace; a path is of the mount namespace. */
function unixEnd(process: ProcessInfo, path: string): string | undefined {
  if (path === '') return undefined;
  const { net, mnt } = process.raw.namespaces;
  return `unix ${path.startsWith('\0') ? net : mnt} ${path.slice(0, PATH_MAX).replaceAll('\0', '@')}`;
}

/** What a login session has started and what was found running of it. In a container the number says nothing of who is inside. */
function sessionOf({ head }: EventView, climbed: readonly ProcessInfo[]): Shared | undefined {
  const [process] = climbed;
  if (process === undefined || process.raw.container >= 0) return undefined;
  const { sessionId } = process.raw;
  if (sessionId === UNSET_ID || sessionId === 0) return undefined;
  // All that a user's own service manager starts is in one session: a whole desktop.
  const above = climbed.at(-1)?.parent;
  if (above !== undefined && isManager(above) && above.raw.sessionId === sessionId) return undefined;
  return {
    key: `session ${head.bootId}/${sessionId}`,
    why: (chain) => `is of the login session (audit session ${sessionId}) in which ${raisedIn(chain)} was raised`,
  };
}

/** A service account of its own and one image are one workload, whichever pod of it. */
function workloadOf({ container }: EventView, climbed: readonly ProcessInfo[]): Shared | undefined {
  if (container === undefined || climbed.length === 0) return undefined;
  const { namespace, serviceAccount, image } = container;
  if (namespace === '' || serviceAccount === '' || serviceAccount === 'default') return undefined;
  const name = escapeText(`${namespace}/${serviceAccount}`).slice(0, PATH_MAX);
  return {
    key: `workload ${name} ${image.slice(0, 256)}`,
    why: (chain) => `is of the workload ${name}, in which ${raisedIn(chain)} was raised`,
  };
}

/** Somebody tries to log in from there and can't: sshd says so itself. Anyone can write a line that looks like it. */
function guessOf(event: EventView, isAgent: IsAgent): Shared | undefined {
  const { cursor, process } = event;
  if (cursor.kind !== KIND.Log || process === undefined) return undefined;
  if (cursor.leafText(leaf.Log.action) !== 'ssh-login' || cursor.leafText(leaf.Log.outcome) !== 'failure')
    return undefined;
  if (cursor.leafText(leaf.Log.origin) === 'filebeat' || !isListener(process) || !isHub(event, process, isAgent))
    return undefined;
  const address = escapeText(cursor.leafText(leaf.Log.sourceAddress)).slice(0, PATH_MAX);
  if (address === '') return undefined;
  return { key: guessKey(address), why: () => `${address} is where others of this incident came from` };
}

/** Where the session came from that did it: whoever has guessed from there has got in. Sessions from one address are not one for that. */
function cameFrom(host: Host, { process }: EventView): Shared[] {
  const ties: Tie[] = [];
  let depth = 0;
  for (let one = process; one !== undefined && depth < MAX_ANCESTORS; one = one.parent, depth++)
    ties.push(...(host.network.sessions.get(one.entityId) ?? []));
  return ties.flatMap((tie): Shared[] => {
    const address = peerOf(tie);
    if (address === undefined) return [];
    const why = (chain: Chain): string => `its session came from ${address}, from where ${raisedIn(chain)} was raised`;
    return [{ key: guessKey(address), why, owned: false }];
  });
}

const guessKey = (address: string): string => `guess ${address}`;

const raisedIn = ({ alerts }: Chain): string => `"${alerts.at(-1)?.rule ?? 'another alert'}"`;

function whySameFile(host: Host, { processes }: Chain, sha256: string): string {
  const known = [...processes.values()].find(({ entityId }) => host.links.copies.get(entityId) === sha256);
  const where =
    known === undefined ? 'one that this chain wrote' : `${known.executable}, which ran as pid ${known.pid}`;
  return `runs a file of the same content (sha256 ${sha256.slice(0, SHOWN_HASH)}…) as ${where}`;
}
