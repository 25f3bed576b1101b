import type { Alert, Command, DeadLetter, EventView, Incident, Result } from '@ringfence/wire';
import type { TrailReader } from '../trail-reader.ts';
import type { NotedHead, Verification } from '../verify/verification.ts';
import { dossierOf, type IncidentDossier } from './read/dossier.ts';
import { type EventQuery, eventsOf } from './read/events.ts';
import { type ListQuery, list } from './read/list.ts';
import { type SearchHit, search } from './read/search.ts';
import { Trail } from './read/trail.ts';
import { statsOf, type TrailStats } from './read/trail-stats.ts';
import { type Progress, verifyTrail } from './verify.ts';

type List<T> = AsyncGenerator<T, void, undefined>;

/** Reads the trail while it is written, from any process. Every method throws the errors of errors.ts. */
export class AuditReader implements TrailReader, Disposable {
  readonly #trail: Trail;

  /** Throws AuditMissingError, AuditVersionError, AuditStorageError. */
  constructor(path: string) {
    this.#trail = new Trail(path);
  }

  alerts(query: ListQuery<Alert> = {}): List<Alert> {
    return list(this.#trail, 'Alert', query);
  }

  /** The newest version of each; with `follow` then every version that comes. */
  incidents(query: ListQuery<Incident> = {}): List<Incident> {
    return list(this.#trail, 'Incident', query);
  }

  commands(query: ListQuery<Command> = {}): List<Command> {
    return list(this.#trail, 'Command', query);
  }

  results(query: ListQuery<Result> = {}): List<Result> {
    return list(this.#trail, 'Result', query);
  }

  deadLetters(query: ListQuery<DeadLetter> = {}): List<DeadLetter> {
    return list(this.#trail, 'DeadLetter', query);
  }

  /** An incident and all that belongs to it; undefined: there is none of this id. */
  incident(id: string): IncidentDossier | undefined {
    return dossierOf(this.#trail, id);
  }

  /** Events in the order of their batches. The view is the same one for all: take what you need before the next. */
  events(query: EventQuery = {}): Generator<EventView, void, undefined> {
    return eventsOf(this.#trail, query);
  }

  /** Full-text search, newest first: all words must be there; a word with `*` at its end is a beginning. Throws AuditQueryError for an empty one. */
  search(text: string, limit = 100): SearchHit[] {
    return search(this.#trail, text, limit);
  }

  stats(): TrailStats {
    return statsOf(this.#trail);
  }

  /** Walks every chain and tells what was changed, taken out, put in or cut off. `noted`: heads noted earlier and kept elsewhere. */
  verify(noted: readonly NotedHead[] = [], progress?: Progress): Verification {
    return this.#trail.guard(() => verifyTrail(this.#trail.db, noted, progress));
  }

  close(): void {
    this.#trail.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
