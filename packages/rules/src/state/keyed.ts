import { LIMITS } from '../limits.ts';
import type { Automaton } from './automaton.ts';
import type { Hit } from './hits.ts';
import { type Link, NO_LINKS } from './links.ts';
import { insertByTime, type Windows } from './windows.ts';

/** What is remembered of one key of a sequence. */
export class Keyed {
  readonly key: string;
  /** of the sequence's partials: as before the recent hits, and as it is now */
  readonly row: number;
  readonly windows: Windows;
  /** Hits that others may still come before, in order of time: the oldest leads to the others. 0: none */
  oldest: Hit = 0;
  newest: Hit = 0;
  recent = 0;
  /** memory of these, in hits */
  recentSize = 0;
  /** µs of the last that had to go because there were too many: nothing comes before it any more */
  closedUs: number | undefined = undefined;
  /** which one it was of its sequence's, in order: the oldest give way first */
  ordinal: number;
  /** µs, by the sequence's clock, when it was put there */
  sinceUs: number;
  /** hits that it holds, about */
  held = 0;
  /** since what changed was taken */
  changed = false;

  constructor(key: string, row: number, windows: Windows, ordinal: number, sinceUs: number) {
    this.key = key;
    this.row = row;
    this.windows = windows;
    this.ordinal = ordinal;
    this.sinceUs = sinceUs;
  }
}

/** Takes a hit in order of time: before one that came late nothing has changed, so all is gone through anew. @returns what is finished, to be released */
export function takeHit(automaton: Automaton, keyed: Keyed, hit: Hit, openSinceUs: number): readonly Link[] {
  const { hits, size } = automaton.partials;
  const { windows } = keyed;
  forgetRecent(automaton, keyed, openSinceUs);
  if (keyed.closedUs !== undefined && hits.timeOf(hit) < keyed.closedUs) hits.setTime(hit, keyed.closedUs);
  const isNewest = insertRecent(automaton, keyed, hit);
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    if ((hits.stepsOf(hit) & (1 << window.step)) !== 0)
      insertByTime(hits, window, hit, openSinceUs - automaton.maxspanUs);
  }
  if (!isNewest) return replay(automaton, keyed);
  return told(automaton, NO_LINKS, automaton.take(keyed.row + size, hit, windows), hit);
}

/** Goes through the recent hits from the first on. @returns what is finished, to be released */
export function replay(automaton: Automaton, keyed: Keyed): readonly Link[] {
  const { partials } = automaton;
  const now = keyed.row + partials.size;
  let completed = NO_LINKS;
  partials.copy(keyed.row, now);
  for (let one = keyed.oldest; one !== 0; one = partials.hits.newerOf(one))
    completed = told(automaton, completed, automaton.take(now, one, keyed.windows), one);
  return completed;
}

/** What had been completed by a hit is completed again when the past is gone through anew, and not told again. */
function told(
  { partials: { hits, links } }: Automaton,
  completed: readonly Link[],
  link: Link,
  hit: Hit,
): readonly Link[] {
  if (link === 0) return completed;
  if (hits.isEnd(hit)) {
    links.release(link);
    return completed;
  }
  links.tell(link, hit);
  return [...completed, link];
}

/** Puts it behind those that are not newer. @returns it is the newest */
function insertRecent({ partials: { hits } }: Automaton, keyed: Keyed, hit: Hit): boolean {
  const { newest } = keyed;
  const timeUs = hits.timeOf(hit);
  hits.retain(hit);
  hits.enter(hit);
  keyed.recent++;
  keyed.recentSize += hits.sizeOf(hit);
  if (newest === 0 || hits.timeOf(newest) <= timeUs) {
    if (newest === 0) keyed.oldest = hit;
    else hits.setNewer(newest, hit);
    keyed.newest = hit;
    return true;
  }
  let previous = 0;
  let next = keyed.oldest;
  for (; hits.timeOf(next) <= timeUs; next = hits.newerOf(next)) previous = next;
  hits.setNewer(hit, next);
  if (previous === 0) keyed.oldest = hit;
  else hits.setNewer(previous, hit);
  return false;
}

/** What is restored, in order. */
export function putRecent(automaton: Automaton, keyed: Keyed, recent: readonly Hit[]): void {
  for (const hit of recent) insertRecent(automaton, keyed, hit);
}

/** Lets go of hits before which no other is waited for any more. */
function forgetRecent(automaton: Automaton, keyed: Keyed, openSinceUs: number): void {
  const { hits, size } = automaton.partials;
  if (keyed.newest === 0 || (hits.timeOf(keyed.oldest) >= openSinceUs && keyed.recent < LIMITS.recentHits)) return;
  if (hits.timeOf(keyed.newest) < openSinceUs) {
    automaton.partials.copy(keyed.row + size, keyed.row);
    while (keyed.oldest !== 0) forgetOldest(automaton, keyed);
    return;
  }
  while (hits.timeOf(keyed.oldest) < openSinceUs || keyed.recent >= LIMITS.recentHits) {
    if (hits.timeOf(keyed.oldest) >= openSinceUs) keyed.closedUs = hits.timeOf(keyed.oldest);
    const completed = automaton.take(keyed.row, keyed.oldest, keyed.windows);
    automaton.partials.links.release(completed);
    forgetOldest(automaton, keyed);
  }
}

function forgetOldest({ partials: { hits } }: Automaton, keyed: Keyed): void {
  const one = keyed.oldest;
  keyed.oldest = hits.newerOf(one);
  if (keyed.oldest === 0) keyed.newest = 0;
  keyed.recent--;
  keyed.recentSize -= hits.sizeOf(one);
  hits.setNewer(one, 0);
  hits.release(one);
}

/** What is finished because nothing came until `nowUs`, oldest first, to be released; undefined: nothing has changed. */
export function takeDue({ partials, stages, maxspanUs }: Automaton, keyed: Keyed, nowUs: number): Link[] | undefined {
  const { links } = partials;
  const now = keyed.row + partials.size;
  const last = stages - 1;
  const isDue = (link: Link): boolean => links.startOf(link) + maxspanUs < nowUs;
  const due = partials.queue(now, last).filter(isDue).reverse();
  if (due.length === 0) return undefined;
  const completed = due.filter((link) => {
    if (links.isTold(link)) return false;
    links.tell(link, keyed.newest);
    links.retain(link);
    return true;
  });
  partials.filter(now, last, (link) => !isDue(link));
  return completed;
}

/** Lets go of all that it holds. */
export function close({ partials }: Automaton, keyed: Keyed): void {
  for (let one = keyed.oldest; one !== 0; ) {
    const next = partials.hits.newerOf(one);
    partials.hits.release(one);
    one = next;
  }
  for (const { hits } of keyed.windows) for (const hit of hits) partials.hits.release(hit);
  partials.close(keyed.row);
}

/** Nothing has begun, and nothing keeps it from beginning. */
export function isIdle({ partials, begins }: Automaton, { row, windows }: Keyed): boolean {
  if (!partials.isEmpty(row + partials.size)) return false;
  return windows.every(({ step, hits }) => hits.length === 0 || (begins & (1 << step)) === 0);
}

/** µs: whatever it holds has happened by then, but for what is finished. */
export function newestOf({ partials }: Automaton, { row, windows, newest }: Keyed): number {
  const { hits, links, rooms, size } = partials;
  let latest = newest === 0 ? Number.NEGATIVE_INFINITY : hits.timeOf(newest);
  for (let s = 0; s < rooms.length; s++)
    for (const link of partials.queue(row + size, s)) latest = Math.max(latest, links.startOf(link));
  const guard = partials.guard(row + size);
  if (guard !== 0) latest = Math.max(latest, hits.timeOf(guard));
  for (const window of windows) if (window.hits.length > 0) latest = Math.max(latest, hits.timeOf(window.hits.at(-1)!));
  return latest;
}

/** Hits that it holds, about: those that several hold are counted for each. */
export function heldBy({ partials, stages, waits }: Automaton, { row, windows, recentSize }: Keyed): number {
  const now = row + partials.size;
  let held = recentSize + partials.heldBy(now);
  if (waits)
    for (const link of partials.queue(now, stages - 1)) held += partials.hits.sizeOf(partials.links.hitOf(link)) - 1;
  for (let i = 0; i < windows.length; i++) held += windows[i]!.hits.length;
  return held;
}
