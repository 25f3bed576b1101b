import type { StatePeer, StateServer } from '@ringfence/wire';
import { Remembered } from './remembered.ts';

const MAX_SERVERS = 2048;
const MAX_PEERS = 2048;
const MAX_COPIES = 2048;
const MAX_INSTALLED = 2048;
/** Peers of one tree of processes */
const MAX_PEERS_EACH = 16;
/** A server that more trees of processes than this talk to links none of them. */
const MAX_CLIENTS = 4;

/** A listener of this host. A tree of processes is known by its root, the topmost process below a hub. */
export type Server = StateServer;

/** The other tree of a connection within this host. */
export type Peer = StatePeer;

/**
 * Links between trees of processes of one host, remembered because a later chain may need them. Bounded; the oldest
 * entry is evicted first.
 */
export class Links {
  /** By endpoint: port and network namespace, or path and mount namespace */
  readonly servers: Remembered<Server> = new Remembered(MAX_SERVERS);
  /** By root */
  readonly peers: Remembered<readonly Peer[]> = new Remembered(MAX_PEERS);
  /** sha256 of files that a process of this host wrote and another one ran, by entity id of the latter */
  readonly copies: Remembered<string> = new Remembered(MAX_COPIES);
  /** sha256 of files that ran without a known writer: programs of the system, whose copies link nothing */
  readonly installed: Remembered<true> = new Remembered(MAX_INSTALLED);

  get evicted(): number {
    return this.servers.evicted + this.peers.evicted + this.copies.evicted + this.installed.evicted;
  }

  /** Notes that `root` talks to the server. Returns whether it is one of few. */
  serves(endpoint: string, server: Server, root: string): boolean {
    const { clients } = server;
    if (clients.length > MAX_CLIENTS) return false;
    if (!clients.includes(root)) this.servers.set(endpoint, { ...server, clients: [...clients, root] });
    return clients.includes(root) || clients.length < MAX_CLIENTS;
  }

  /** Whether few trees of processes talk to the server. */
  isFew(endpoint: string): boolean {
    return (this.servers.get(endpoint)?.clients.length ?? 0) <= MAX_CLIENTS;
  }

  addPeer(root: string, peer: Peer): void {
    const known = (this.peers.get(root) ?? []).filter((entry) => entry.root !== peer.root);
    this.peers.set(root, [...known, peer].slice(-MAX_PEERS_EACH));
  }
}
