import { decode } from '../avro/codec.ts';
import type { EventBatch } from '../generated/types.generated.ts';
import { EventView } from './event-batch.ts';
import { createSingleEvent } from './single-event.ts';

/** Ancestors that an alert names. */
const ANCESTORS = 15;

/** Saves single events with their lineage as text, for alerts that are raised about them later. */
export class EventWitness {
  readonly #single = createSingleEvent(ANCESTORS);
  readonly #view = new EventView();

  keep(event: EventView): string {
    return this.#single(event).toString('base64');
  }

  /** Returns a saved event, which is valid until the next call. Throws SchemaError for any other text. */
  read(kept: string): EventView {
    this.#view.open(Buffer.from(kept, 'base64'));
    this.#view.next();
    return this.#view;
  }

  /** Returns whether a text is a saved event with valid indexes, because saved state may be damaged. */
  isKept(kept: string): boolean {
    try {
      if (!pointsInside(decode('EventBatch', Buffer.from(kept, 'base64')))) return false;
      // The reader in place is stricter than avsc about some numbers, and decodes a process only when it is read.
      for (let { process } = this.read(kept); process !== undefined; process = process.parent) void process.raw;
      return true;
    } catch {
      return false;
    }
  }
}

function pointsInside({ events, processes, containers }: EventBatch): boolean {
  const isIn = (index: number, list: readonly unknown[]): boolean => index >= -1 && index < list.length;
  const [event] = events;
  return (
    event !== undefined &&
    events.length === 1 &&
    isIn(event.process, processes) &&
    isIn(event.writer, processes) &&
    isIn(event.container, containers) &&
    // A process comes after its ancestors, so no lineage is a cycle.
    processes.every(({ parent, container }, at) => parent >= -1 && parent < at && isIn(container, containers))
  );
}
