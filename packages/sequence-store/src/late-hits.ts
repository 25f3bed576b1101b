import type { EventRows } from './event-rows.ts';
import type { EventRow } from './handles.ts';

const MAX_EVENTS = 64;

/** The last events of unknown keys: a first step that arrives late may still belong in front of them. */
export class LateHits {
  readonly #events: EventRows;
  readonly #entries: { key: string; event: EventRow }[] = [];
  #next = 0;

  constructor(events: EventRows) {
    this.#events = events;
  }

  put(key: string, event: EventRow): void {
    this.#events.retain(event);
    const oldest = this.#entries[this.#next];
    if (oldest === undefined) this.#entries.push({ key, event });
    else {
      this.#events.release(oldest.event);
      oldest.key = key;
      oldest.event = event;
    }
    this.#next = (this.#next + 1) % MAX_EVENTS;
  }

  /** Returns the events of a key that are still open and in no alert, in order of time. They stay stored. */
  of(key: string, openSinceUs: number): EventRow[] {
    const events = this.#events;
    return this.#entries
      .filter(
        (entry) => entry.key === key && events.timeOf(entry.event) >= openSinceUs && !events.isAlerted(entry.event),
      )
      .map(({ event }) => event)
      .sort((a, b) => events.timeOf(a) - events.timeOf(b));
  }

  clear(): void {
    for (const { event } of this.#entries) this.#events.release(event);
    this.#entries.length = 0;
    this.#next = 0;
  }
}
