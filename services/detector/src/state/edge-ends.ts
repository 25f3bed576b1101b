import { hash } from 'node:crypto';

/** One host's end of an edge. */
export interface EdgeEnd {
  readonly kind: 'connection' | 'key';
  /** Of a connection; empty: a key has no direction */
  readonly end: 'source' | 'destination' | '';
  /** The same text at every end: "tcp 10.0.0.1:41000 → 10.0.0.2:22" */
  readonly detail: string;
  /** µs since the epoch */
  readonly at: number;
}

/** Returns the id of the edge, which is the same at every end. */
export const edgeId = ({ kind, detail }: EdgeEnd): string => hash('sha256', `${kind}\0${detail}`).slice(0, 32);

/** The latest connections that a process accepted and the processes that it started: which served which? */
export interface Acceptor {
  readonly accepts: readonly Accepted[];
  /** Entity ids and starts (µs, CLOCK_BOOTTIME) */
  readonly forks: readonly { readonly entityId: string; readonly start: number }[];
}

export interface Accepted {
  readonly tie: EdgeEnd;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** Entity id of the process that was started for it; empty: none yet */
  readonly by: string;
}

/** Connections that a process made. */
export interface Caller {
  /** The process and its ancestors below the hub, nearest first: entity ids */
  readonly lineage: readonly string[];
  readonly ties: readonly EdgeEnd[];
}
