import {
  addressText,
  escapeText,
  type IncidentReason,
  KIND,
  leaf,
  type ProcessInfo,
  processLeaf,
  records,
} from '@ringfence/wire';
import type { Chains } from '../graph/chains.ts';
import type { HandledEvent } from '../graph/handled-event.ts';
import { hashKey } from '../graph/links.ts';
import { processName } from '../incident/action.ts';
import { connectionReason, sameFileReason } from '../incident/reasons.ts';
import type { Chain } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import { type Effects, NO_EFFECTS, type Turn } from '../turn.ts';

const PATH_MAX = 128;
const { AF_UNIX } = records.AddressFamily;

/** Remembers links between processes of one host, and merges two chains as soon as a link between them is seen. */
export class NoteLinks {
  readonly #chains: Chains;

  constructor(chains: Chains) {
    this.#chains = chains;
  }

  note({ host }: Turn, event: HandledEvent): Effects {
    const { cursor, writer } = event.view;
    const { kind } = cursor;
    if (kind === KIND.Connect) return this.#noteConnect(host, event);
    if (kind === KIND.Socket) noteListener(host, event);
    else if (writer !== undefined && (kind === KIND.Exec || kind === KIND.Hash)) return this.#noteCopy(host, event);
    else if (kind === KIND.Hash) noteInstalled(host, cursor.leafBytes(leaf.Hash.sha256).toString('hex'));
    return NO_EFFECTS;
  }

  /** A connection within the host, to a server that few trees of processes talk to. */
  #noteConnect(host: Host, event: HandledEvent): Effects {
    const { cursor, process } = event.view;
    const { links } = host;
    const result = cursor.leafLong(leaf.Connect.result);
    if (links.servers.size === 0 || process === undefined || (result < 0 && result !== -records.Errno.EINPROGRESS))
      return NO_EFFECTS;
    const isUnix = cursor.leafLong(leaf.Connect.family) === AF_UNIX;
    const path = isUnix ? cursor.leafText(leaf.Connect.pathBytes) : '';
    const address = isUnix
      ? undefined
      : addressText(cursor.buffer, cursor.leafAt(leaf.Connect.address), cursor.leafLength(leaf.Connect.address));
    const port = cursor.leafLong(leaf.Connect.port);
    const endpoint = isUnix
      ? unixEndpoint(process, path)
      : isLoopback(address)
        ? tcpEndpoint(process, port)
        : undefined;
    const server = endpoint === undefined ? undefined : links.servers.get(endpoint);
    if (endpoint === undefined || server === undefined) return NO_EFFECTS;
    const root = event.root?.entityId;
    if (root === undefined || root === server.root || !links.serves(endpoint, server, root)) return NO_EFFECTS;
    const place: Record<string, string> = isUnix
      ? { 'network.unix.path': escapeText(path).slice(0, PATH_MAX) }
      : { 'destination.ip': address ?? '', 'destination.port': String(port) };
    const reason = connectionReason(processName(process), server.process, place);
    const { ktime } = cursor;
    links.addPeer(root, { root: server.root, endpoint, reason, ktime });
    links.addPeer(server.root, { root, endpoint, reason, ktime });
    return this.#mergeIfTwo(host, host.byKey.get(root), host.byKey.get(server.root), reason);
  }

  /** A process ran a file that another process wrote: its content links processes that run copies of it. */
  #noteCopy(host: Host, event: HandledEvent): Effects {
    const { process, writer, cursor } = event.view;
    if (process === undefined || writer === undefined || process.container !== writer.container) return NO_EFFECTS;
    const isScript = cursor.kind === KIND.Hash && cursor.leafBoolean(leaf.Hash.script);
    const sha256 = isScript ? process.raw.scriptSha256 : process.raw.sha256;
    if (sha256.length === 0 || event.writerLineage.length === 0) return NO_EFFECTS;
    const hex = Buffer.from(sha256).toString('hex');
    host.links.copies.set(process.entityId, hex);
    if (host.links.installed.has(hex)) return NO_EFFECTS;
    const chains = event.lineage.map(({ entityId }) => host.byKey.get(entityId));
    const chain = chains.find((candidate) => candidate !== undefined) ?? host.byKey.get(writer.entityId);
    if (chain === undefined) return NO_EFFECTS;
    const sharing = host.byKey.get(hashKey(hex));
    if (sharing !== undefined) return this.#mergeIfTwo(host, chain, sharing, sameFileReason(host, sharing, hex));
    this.#chains.linkKey(host, chain, hashKey(hex));
    return NO_EFFECTS;
  }

  #mergeIfTwo(host: Host, a: Chain | undefined, b: Chain | undefined, reason: IncidentReason): Effects {
    if (a === undefined || b === undefined || a === b) return NO_EFFECTS;
    return { merges: [this.#chains.merge(host, a, b, reason)] };
  }
}

function noteListener({ links }: Host, event: HandledEvent): void {
  const { cursor, process } = event.view;
  if (process === undefined || cursor.leafLong(leaf.Socket.result) < 0) return;
  if (cursor.leafLong(leaf.Socket.operation) !== records.SocketOperation.SOCKET_LISTEN) return;
  const isUnix = cursor.leafLong(leaf.Socket.family) === AF_UNIX;
  const endpoint = isUnix
    ? unixEndpoint(process, cursor.leafText(leaf.Socket.pathBytes))
    : tcpEndpoint(process, cursor.leafLong(leaf.Socket.port));
  const { root } = event;
  if (root === undefined || endpoint === undefined) return;
  links.servers.set(endpoint, { root: root.entityId, process: processName(process), clients: [] });
}

/** Content of a file without a known writer belongs to a program of the system. */
function noteInstalled({ links }: Host, sha256: string): void {
  if (sha256 !== '' && !links.installed.has(sha256)) links.installed.set(sha256, true);
}

const isLoopback = (address: string | undefined): boolean => address !== undefined && /^(127\.|::1$)/.test(address);
const tcpEndpoint = (process: ProcessInfo, port: number): string =>
  `tcp ${process.long(processLeaf.namespaces.net)} ${port}`;

/** An abstract name begins with NUL and belongs to the network namespace; a path belongs to the mount namespace. */
function unixEndpoint(process: ProcessInfo, path: string): string | undefined {
  if (path === '') return undefined;
  const { net, mnt } = process.raw.namespaces;
  return `unix ${path.startsWith('\0') ? net : mnt} ${path.slice(0, PATH_MAX).replaceAll('\0', '@')}`;
}
