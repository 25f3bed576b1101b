import { hash } from 'node:crypto';
import type { StateAccept, StateAcceptor, StateCaller, StateEdgeEnd } from '@ringfence/wire';

/** One host's end of an edge. `detail` is the same text at every end: "tcp 10.0.0.1:41000 → 10.0.0.2:22". */
export type EdgeEnd = StateEdgeEnd;

/** The latest connections that a process accepted, and the processes that it started, which may serve them. */
export type Acceptor = StateAcceptor;
export type Accepted = StateAccept;

/** Connections of a process, and its lineage below the hub, nearest first. */
export type Caller = StateCaller;

/** Returns the id of the edge, which is the same at every end. */
export const edgeId = ({ kind, detail }: EdgeEnd): string => hash('sha256', `${kind}\0${detail}`).slice(0, 32);
