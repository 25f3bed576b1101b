import type { InRecord } from '@ringfence/bus';
import type { Alert, Command, DeadLetter, EventView, Incident, OperatorAction, Result } from '@ringfence/wire';
import type { Evidence } from '../evidence.ts';
import type { Hold } from '../hold.ts';
import type { SourceRange, TrailReader } from '../trail-reader.ts';
import type { PublishedHead, Verification } from '../verify/verification.ts';
import { dossierOf, type IncidentDossier } from './read/dossier.ts';
import { type EventQuery, eventsOf } from './read/events.ts';
import { evidenceOf } from './read/evidence.ts';
import { storedHold } from './read/hold.ts';
import { type ListQuery, list } from './read/list.ts';
import { recordsOf } from './read/records.ts';
import { type SearchHit, search } from './read/search.ts';
import { Trail } from './read/trail.ts';
import { statsOf, type TrailStats } from './read/trail-stats.ts';
import { type Progress, verifyTrail } from './verify.ts';

type List<T> = AsyncGenerator<T, void, undefined>;

/** Reads the trail, also while another process writes it. Every method throws the errors of errors.ts. */
export class AuditReader implements TrailReader, Disposable {
  readonly #trail: Trail;

  /** Throws AuditMissingError, AuditVersionError, AuditStorageError. */
  constructor(path: string) {
    this.#trail = new Trail(path);
  }

  alerts(query: ListQuery<Alert> = {}): List<Alert> {
    return list(this.#trail, 'Alert', query);
  }

  /** Yields the newest version of each incident; with `follow` then every new version. */
  incidents(query: ListQuery<Incident> = {}): List<Incident> {
    return list(this.#trail, 'Incident', query);
  }

  commands(query: ListQuery<Command> = {}): List<Command> {
    return list(this.#trail, 'Command', query);
  }

  results(query: ListQuery<Result> = {}): List<Result> {
    return list(this.#trail, 'Result', query);
  }

  operatorActions(query: ListQuery<OperatorAction> = {}): List<OperatorAction> {
    return list(this.#trail, 'OperatorAction', query);
  }

  deadLetters(query: ListQuery<DeadLetter> = {}): List<DeadLetter> {
    return list(this.#trail, 'DeadLetter', query);
  }

  /** Returns an incident with the records that belong to it, or undefined when it does not exist. */
  incident(id: string): IncidentDossier | undefined {
    return dossierOf(this.#trail, id);
  }

  hold(id: string): Hold | null {
    return this.#trail.guard(() => storedHold(this.#trail.db, id));
  }

  evidence(id: string): Evidence | undefined {
    return evidenceOf(this.#trail, id);
  }

  /** Yields events in the order of their batches. The same view is reused: copy what you need before the next event. */
  events(query: EventQuery = {}): Generator<EventView, void, undefined> {
    return eventsOf(this.#trail, query);
  }

  /**
   * Full-text search, newest first. All words must match; a word that ends with `*` matches as a prefix. Throws
   * AuditQueryError for an empty search.
   */
  search(text: string, limit = 100): SearchHit[] {
    return search(this.#trail, text, limit);
  }

  /** Yields the records of a source partition between two offsets, as the bus had them. */
  recordsOf(range: SourceRange): Generator<InRecord, void, undefined> {
    return recordsOf(this.#trail, range);
  }

  stats(): TrailStats {
    return statsOf(this.#trail);
  }

  /** Verifies every chain, also against `published` heads. Reports changed, missing, added and cut-off records. */
  verify(published: readonly PublishedHead[] = [], progress?: Progress): Verification {
    return this.#trail.guard(() => verifyTrail(this.#trail.db, published, progress));
  }

  close(): void {
    this.#trail.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
