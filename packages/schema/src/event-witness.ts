import { EventView } from './event-batch.ts';
import { createSingleEvent } from './single-event.ts';

/** As many as an alert names. */
const ANCESTORS = 15;

/** Keeps single events as text, lineage and all, for alerts that are about them later. */
export class EventWitness {
  readonly #single = createSingleEvent(ANCESTORS);
  readonly #view = new EventView();

  keep(event: EventView): string {
    return this.#single(event).toString('base64');
  }

  /** The event again, until the next call. @throws SchemaError when `kept` is nothing that was kept */
  read(kept: string): EventView {
    this.#view.open(Buffer.from(kept, 'base64'));
    this.#view.next();
    return this.#view;
  }
}
