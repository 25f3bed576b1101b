import type { OutRecord } from '@ringfence/bus';
import type { ChainRef, Edge, Feedback, Incident, Join } from '@ringfence/wire';
import type { Chain } from './state/chain.ts';
import type { Host } from './state/host.ts';

/** The record that is being handled: its host, and its results so far. */
export interface Turn {
  readonly host: Host;
  /** Chains whose incidents are published at the end of the record */
  readonly touched: Set<Chain>;
  readonly outputs: OutRecord[];
}

type Unsigned<T> = Omit<T, 'keyId' | 'signature'>;
export type NewEdge = Unsigned<Edge>;
export type NewJoin = Unsigned<Join>;
export type NewFeedback = Unsigned<Feedback>;

/** Two chains of one host have become one. The survivor has everything but the members of the other. */
export interface Merge {
  readonly survivor: Chain;
  readonly absorbed: Chain;
}

/** A chain has become part of a chain of another host, and still has its members. */
export interface Move {
  readonly chain: Chain;
  readonly into: ChainRef;
}

/** Results of a step beyond the state of its host. `applyEffects` carries them out, in this order. */
export interface Effects {
  readonly edges?: readonly NewEdge[];
  readonly moves?: readonly Move[];
  readonly joins?: readonly NewJoin[];
  readonly merges?: readonly Merge[];
  readonly feedback?: readonly NewFeedback[];
  /** New versions of incidents whose chains are closed */
  readonly incidents?: readonly Incident[];
  /** Chains that changed */
  readonly touched?: readonly Chain[];
}

export const NO_EFFECTS: Effects = {};

/** Returns the effects of several steps as one, each kind in the order of the steps. */
export function allEffects(all: readonly Effects[]): Effects {
  return {
    edges: all.flatMap(({ edges = [] }) => edges),
    moves: all.flatMap(({ moves = [] }) => moves),
    joins: all.flatMap(({ joins = [] }) => joins),
    merges: all.flatMap(({ merges = [] }) => merges),
    feedback: all.flatMap(({ feedback = [] }) => feedback),
    incidents: all.flatMap(({ incidents = [] }) => incidents),
    touched: all.flatMap(({ touched = [] }) => touched),
  };
}
