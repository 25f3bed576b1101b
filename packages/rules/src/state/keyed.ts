import { LIMITS } from '../limits.ts';
import { type Hit, sizeOf } from './hit.ts';
import { type Automaton, type Link, lengthOf, markReported, NO_LINKS, type Partial, startOf } from './partial.ts';
import { insertByTime, type Windows } from './windows.ts';

/** What is remembered of one key of a sequence. */
export class Keyed {
  readonly key: string;
  partial: Partial;
  readonly windows: Windows;
  /** Hits that others may still come before, in order of time: the oldest leads to the others. */
  oldest: Hit | undefined = undefined;
  newest: Hit | undefined = undefined;
  recent = 0;
  /** memory of these, in hits */
  recentSize = 0;
  /** which one it was of its sequence's, in order: the oldest give way first */
  ordinal: number;
  /** µs, by the sequence's clock, when it was put there */
  sinceUs: number;
  /** hits that it holds, about */
  held = 0;
  /** since what changed was taken */
  changed = false;

  constructor(key: string, partial: Partial, windows: Windows, ordinal: number, sinceUs: number) {
    this.key = key;
    this.partial = partial;
    this.windows = windows;
    this.ordinal = ordinal;
    this.sinceUs = sinceUs;
  }
}

/** Takes a hit in order of time: what came after it is gone through anew. Says what is finished. */
export function takeHit(automaton: Automaton, keyed: Keyed, hit: Hit, openSinceUs: number): readonly Link[] {
  const { windows } = keyed;
  forgetRecent(keyed, openSinceUs);
  insertRecent(keyed, hit);
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    if ((hit.steps & (1 << window.step)) !== 0) insertByTime(window, hit, openSinceUs - automaton.maxspanUs);
  }
  return replay(automaton, keyed, hit);
}

/** Puts it behind those that are not newer. */
function insertRecent(keyed: Keyed, hit: Hit): void {
  const { newest } = keyed;
  keyed.recent++;
  keyed.recentSize += sizeOf(hit);
  if (newest === undefined || newest.timeUs <= hit.timeUs) {
    append(keyed, hit, keyed.partial);
    return;
  }
  let previous: Hit | undefined;
  let next = keyed.oldest!;
  for (; next.timeUs <= hit.timeUs; next = next.newer!) previous = next;
  hit.before = next.before;
  hit.newer = next;
  if (previous === undefined) keyed.oldest = hit;
  else previous.newer = hit;
}

function append(keyed: Keyed, hit: Hit, before: Partial): void {
  hit.before = before;
  hit.newer = undefined;
  if (keyed.newest === undefined) keyed.oldest = hit;
  else keyed.newest.newer = hit;
  keyed.newest = hit;
}

/** What is restored: each has `before` before it until they are gone through. */
export function putRecent(keyed: Keyed, hits: readonly Hit[], before: Partial): void {
  for (const hit of hits) {
    append(keyed, hit, before);
    keyed.recent++;
    keyed.recentSize += sizeOf(hit);
  }
}

/** Goes through what is restored. What is reported was saved with it, so nothing is marked here: what is in memory is what is in the changelog. */
export function replayRestored(automaton: Automaton, keyed: Keyed): void {
  for (let one = keyed.oldest; one !== undefined; one = one.newer) {
    one.before = keyed.partial;
    keyed.partial = automaton.take(keyed.partial, one, keyed.windows);
  }
}

/** Goes through the recent hits from `from` on. */
function replay(automaton: Automaton, keyed: Keyed, from: Hit): readonly Link[] {
  let completed = NO_LINKS;
  let partial = from.before!;
  for (let one: Hit | undefined = from; one !== undefined; one = one.newer) {
    one.before = partial;
    partial = automaton.take(partial, one, keyed.windows);
    const link = automaton.completed;
    if (link === undefined) continue;
    // What had been completed then is completed again, and not told again.
    if (!one.reported) completed = [...completed, link];
    markReported(link);
  }
  keyed.partial = partial;
  return completed;
}

/** Lets go of hits before which no other is waited for any more. */
function forgetRecent(keyed: Keyed, openSinceUs: number): void {
  for (let one = keyed.oldest; one !== undefined; one = keyed.oldest) {
    if (one.timeUs >= openSinceUs && keyed.recent < LIMITS.recentHits) return;
    keyed.oldest = one.newer;
    keyed.recent--;
    keyed.recentSize -= sizeOf(one);
    // What still holds it, a beginning or a run, must not hold what came before and after it.
    one.before = undefined;
    one.newer = undefined;
  }
  keyed.newest = undefined;
}

/** Nothing has begun, and nothing keeps it from beginning. */
export function isIdle({ begins }: Automaton, { partial, windows }: Keyed): boolean {
  for (let s = 0; s < partial.length; s++) if (partial[s] !== undefined) return false;
  return windows.every(({ step, hits }) => hits.length === 0 || (begins & (1 << step)) === 0);
}

/** µs: whatever it holds has happened by then, but for what is finished. */
export function newestOf({ partial, windows, newest }: Keyed): number {
  let latest = newest?.timeUs ?? Number.NEGATIVE_INFINITY;
  for (const queue of partial)
    for (let one = queue; one !== undefined; one = one.older) latest = Math.max(latest, startOf(one));
  for (const { hits } of windows) latest = Math.max(latest, hits.at(-1)?.timeUs ?? latest);
  return latest;
}

/** Hits that it holds, about: those that several hold are counted for each. */
export function heldBy({ partial, windows, recentSize }: Keyed): number {
  const stages = partial.length - 1;
  let held = recentSize;
  for (let s = 0; s < stages; s++) if (partial[s] !== undefined) held += lengthOf(partial[s]) * (s + 1);
  for (let one = partial[stages - 1]; one !== undefined; one = one.older) held += sizeOf(one.hit) - 1;
  for (let i = 0; i < windows.length; i++) held += windows[i]!.hits.length;
  return held;
}
