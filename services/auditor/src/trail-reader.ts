import type { Alert, Incident } from '@ringfence/wire';
import type { IncidentDossier } from './sqlite/read/dossier.ts';
import type { ListQuery } from './sqlite/read/list.ts';

/** What is asked of a trail wherever it is kept. */
export interface TrailReader {
  alerts(query?: ListQuery<Alert>): AsyncIterable<Alert>;
  /** The newest version of each. */
  incidents(query?: ListQuery<Incident>): AsyncIterable<Incident>;
  /** An incident and all that belongs to it; undefined: there is none of this id. */
  incident(id: string): IncidentDossier | undefined | Promise<IncidentDossier | undefined>;
}
