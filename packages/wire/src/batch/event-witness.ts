import { decode } from '../avro/codec.ts';
import type { EventBatch } from '../generated/types.generated.ts';
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

  /** Whether it is one whole event of `keep`, which points at nothing that isn't there: what was saved may be damaged. */
  isKept(kept: string): boolean {
    try {
      if (!pointsInside(decode('EventBatch', Buffer.from(kept, 'base64')))) return false;
      // What reads in place is stricter with some numbers, and reads a process when it is asked.
      for (let one = this.read(kept).process; one !== undefined; one = one.parent) void one.raw;
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
    // What descends stands behind its ancestors: no lineage goes in circles.
    processes.every(({ parent, container }, at) => parent >= -1 && parent < at && isIn(container, containers))
  );
}
