import type { Alert, Incident } from '@ringfence/schema';
import type { IncidentDossier } from './sqlite/read/dossier.ts';
import type { ListQuery } from './sqlite/read/list.ts';

/** Queries that every store of the trail supports. */
export interface TrailReader {
  alerts(query?: ListQuery<Alert>): AsyncIterable<Alert>;
  /** Yields the newest version of each incident. */
  incidents(query?: ListQuery<Incident>): AsyncIterable<Incident>;
  /** Returns an incident with its alerts, commands and results, or undefined when there is none with this id. */
  incident(id: string): IncidentDossier | undefined | Promise<IncidentDossier | undefined>;
}
