import type { Alert, Incident, OperatorAction } from '@ringfence/wire';
import type { Evidence } from './evidence.ts';
import type { Hold } from './hold.ts';
import type { IncidentDossier } from './sqlite/read/dossier.ts';
import type { ListQuery } from './sqlite/read/list.ts';

/** Offsets of a partition of a topic; `to` is not included. */
export interface SourceRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** Queries that every store of the trail supports. */
export interface TrailReader {
  alerts(query?: ListQuery<Alert>): AsyncIterable<Alert>;
  /** Yields the newest version of each incident. */
  incidents(query?: ListQuery<Incident>): AsyncIterable<Incident>;
  operatorActions(query?: ListQuery<OperatorAction>): AsyncIterable<OperatorAction>;
  /** Returns an incident with the records that belong to it, or undefined when it does not exist. */
  incident(id: string): IncidentDossier | undefined | Promise<IncidentDossier | undefined>;
  /** Returns the hold of an incident; null when nobody has asked for one. Undefined: this store has no holds. */
  hold(id: string): Hold | null | undefined;
  /** Returns an incident with its records as they are chained, or undefined when it does not exist. */
  evidence(id: string): Evidence | undefined | Promise<Evidence | undefined>;
}
