import type { IncidentReason, ProcessName } from '@ringfence/wire';
import { Remembered } from './remembered.ts';

const MAX_SERVERS = 2048;
const MAX_PEERS = 2048;
const MAX_COPIES = 2048;
const MAX_INSTALLED = 2048;
/** Of one tree of processes. */
const MAX_PEERS_EACH = 16;
/** A server that more trees of processes than this talk to is everybody's: it ties none of them. */
const MAX_CLIENTS = 4;

/** Who listens at an end of this host. Trees of processes go by their root: the last process below a hub. */
export interface Server {
  readonly root: string;
  /** The process that listens */
  readonly process: ProcessName;
  /** roots; one more than MAX_CLIENTS at most */
  readonly clients: readonly string[];
}

/** The other tree of a connection within this host. */
export interface Peer {
  readonly root: string;
  readonly endpoint: string;
  /** The connection */
  readonly reason: IncidentReason;
  /** µs */
  readonly ktime: number;
}

/** What ties trees of processes of one host together, until one of its chains may need it. Bounded; what was set longest ago goes first. */
export class Links {
  /** by end: port and network namespace, or path and mount namespace */
  readonly servers: Remembered<Server> = new Remembered(MAX_SERVERS);
  /** by root */
  readonly peers: Remembered<readonly Peer[]> = new Remembered(MAX_PEERS);
  /** sha256 of the executable of a process that ran what somebody here had written, by its entity id */
  readonly copies: Remembered<string> = new Remembered(MAX_COPIES);

  /** sha256 of what is also run from files that nobody was seen writing: programs of the system, whose copies say nothing */
  readonly installed: Remembered<true> = new Remembered(MAX_INSTALLED);

  get evicted(): number {
    return this.servers.evicted + this.peers.evicted + this.copies.evicted + this.installed.evicted;
  }

  /** Whether `root` is one of few that talk to the server. */
  serves(endpoint: string, server: Server, root: string): boolean {
    const { clients } = server;
    if (clients.length > MAX_CLIENTS) return false;
    if (!clients.includes(root)) this.servers.set(endpoint, { ...server, clients: [...clients, root] });
    return clients.includes(root) || clients.length < MAX_CLIENTS;
  }

  /** false: it has become everybody's. */
  isFew(endpoint: string): boolean {
    return (this.servers.get(endpoint)?.clients.length ?? 0) <= MAX_CLIENTS;
  }

  addPeer(root: string, peer: Peer): void {
    const others = (this.peers.get(root) ?? []).filter((one) => one.root !== peer.root);
    this.peers.set(root, [...others, peer].slice(-MAX_PEERS_EACH));
  }
}
