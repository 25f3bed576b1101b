import { hash } from 'node:crypto';

/** One end of what may tie chains of two hosts together. */
export interface Tie {
  readonly kind: 'connection' | 'key';
  /** of a connection; empty: it has no direction */
  readonly end: 'source' | 'destination' | '';
  /** in plain words, and the same from every end: "tcp 10.0.0.1:41000 → 10.0.0.2:22" */
  readonly detail: string;
  /** µs since the epoch */
  readonly at: number;
}

/** The same from every end. */
export const edgeOf = ({ kind, detail }: Tie): string => hash('sha256', `${kind}\0${detail}`).slice(0, 32);

/** What a process has accepted and started lately: who of those it started was started for which connection. */
export interface Acceptor {
  readonly accepts: readonly Accepted[];
  /** entity ids and starts (µs, CLOCK_BOOTTIME) */
  readonly forks: readonly { readonly entityId: string; readonly start: number }[];
}

export interface Accepted {
  readonly tie: Tie;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** entity id of the process that was started for it; empty: none yet */
  readonly by: string;
}

/** What a process has connected to. */
export interface Caller {
  /** it and its ancestors below the hub, nearest first: entity ids */
  readonly lineage: readonly string[];
  readonly ties: readonly Tie[];
}
