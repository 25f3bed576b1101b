/** The sequence store as it would be with a Map of objects: the baseline of sequence-store.ts. */

interface ObjectEvent {
  readonly timeUs: number;
  readonly steps: number;
  readonly id: string;
  /** When its alert was raised, in the order of `order`. */
  alertedAt: number | undefined;
  order: number;
}

/** A first step that waits for the second. */
interface ObjectPartial {
  readonly startUs: number;
  readonly event: ObjectEvent;
}

interface ObjectKey {
  readonly text: string;
  readonly ordinal: number;
  readonly sinceUs: number;
  held: number;
  isChanged: boolean;
  recent: ObjectEvent[];
  middle: ObjectEvent | undefined;
  /** The state before the recent events, behind the middle one, and now. */
  beforeState: ObjectPartial | undefined;
  middleState: ObjectPartial | undefined;
  state: ObjectPartial | undefined;
}

/** One ordered sequence of two steps. Late events are placed in order and replayed; no key is evicted. */
export class ObjectSequence {
  readonly #keys = new Map<string, ObjectKey>();
  readonly #changed: ObjectKey[] = [];
  readonly #maxspanUs: number;
  readonly #latenessUs: number;
  #nextOrder = 0;
  #held = 0;

  constructor(maxspanUs: number, latenessUs: number) {
    this.#maxspanUs = maxspanUs;
    this.#latenessUs = latenessUs;
  }

  get held(): number {
    return this.#held;
  }

  /** Returns the ids of each sequence that the event completes. */
  take(text: string, timeUs: number, steps: number, id: string): string[][] {
    let key = this.#keys.get(text);
    if (key === undefined) {
      if ((steps & 1) === 0) return [];
      key = this.#insert(text, timeUs);
    }
    this.#forgetRecent(key, timeUs - this.#latenessUs);
    const event: ObjectEvent = { timeUs, steps, id, alertedAt: undefined, order: this.#nextOrder++ };
    const matches = this.#insertRecent(key, event) ? this.#apply(key, event) : this.#replay(key);
    const held = key.recent.length + (key.state === undefined ? 0 : 1);
    this.#held += held - key.held;
    key.held = held;
    if (!key.isChanged) {
      key.isChanged = true;
      this.#changed.push(key);
    }
    return matches;
  }

  #insert(text: string, sinceUs: number): ObjectKey {
    const key: ObjectKey = {
      ...{ text, ordinal: this.#keys.size, sinceUs, held: 0, isChanged: false, recent: [], middle: undefined },
      ...{ beforeState: undefined, middleState: undefined, state: undefined },
    };
    this.#keys.set(text, key);
    return key;
  }

  #forgetRecent(key: ObjectKey, openSinceUs: number): void {
    const newest = key.recent.at(-1);
    if (newest === undefined) return;
    if (newest.timeUs < openSinceUs) {
      key.beforeState = key.state;
      key.recent = [];
      key.middle = undefined;
    } else if (key.middle !== undefined && key.middle.timeUs < openSinceUs) {
      key.beforeState = key.middleState;
      key.recent = key.recent.slice(key.recent.indexOf(key.middle) + 1);
      key.middle = undefined;
    }
    const last = key.recent.at(-1);
    if (key.middle !== undefined || last === undefined) return;
    key.middle = last;
    key.middleState = key.state;
  }

  /** Returns whether the event is the newest. */
  #insertRecent({ recent }: ObjectKey, event: ObjectEvent): boolean {
    const newest = recent.at(-1);
    if (newest === undefined || newest.timeUs <= event.timeUs) {
      recent.push(event);
      return true;
    }
    recent.splice(
      recent.findIndex(({ timeUs }) => timeUs > event.timeUs),
      0,
      event,
    );
    return false;
  }

  #replay(key: ObjectKey): string[][] {
    key.state = key.beforeState;
    return key.recent.flatMap((event) => {
      const matches = this.#apply(key, event);
      if (event === key.middle) key.middleState = key.state;
      return matches;
    });
  }

  #apply(key: ObjectKey, event: ObjectEvent): string[][] {
    const first = key.state;
    const isNew = event.alertedAt === undefined;
    const matches: string[][] = [];
    if (
      (event.steps & 2) !== 0 &&
      isNew &&
      first !== undefined &&
      first.event.alertedAt === undefined &&
      first.startUs >= event.timeUs - this.#maxspanUs
    ) {
      first.event.alertedAt = event.order;
      event.alertedAt = event.order;
      matches.push([first.event.id, event.id]);
    }
    if ((event.steps & 1) !== 0) key.state = { startUs: event.timeUs, event };
    return matches;
  }
}
