import { LIMITS } from '../limits.ts';
import { type Hit, sizeOf } from './hit.ts';
import { type Automaton, insertByTime, type Link, NO_LINKS, type Partial, type Windows } from './partial.ts';

/** A hit that others may still come before, and what was before it. */
export interface Recent {
  readonly hit: Hit;
  before: Partial;
}

/** What is remembered of one key of a sequence. */
export interface Keyed {
  partial: Partial;
  /** in order of time */
  readonly recent: Recent[];
  readonly windows: Windows;
  /** which one it was of its sequence's, in order: the oldest give way first */
  ordinal: number;
  /** µs, by the sequence's clock, when it was put there */
  sinceUs: number;
  /** hits that it holds, about */
  held: number;
}

/** Takes a hit in order of time: what came after it is gone through anew. Says what is finished. */
export function takeHit(automaton: Automaton, keyed: Keyed, hit: Hit, openSinceUs: number): readonly Link[] {
  const { recent, windows } = keyed;
  forgetRecent(keyed, openSinceUs);
  let at = recent.length;
  while (at > 0 && recent[at - 1]!.hit.timeUs > hit.timeUs) at--;
  const before = at < recent.length ? recent[at]!.before : keyed.partial;
  recent.splice(at, 0, { hit, before });
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    if ((hit.steps & (1 << window.step)) !== 0) insertByTime(window, hit, openSinceUs - automaton.maxspanUs);
  }
  return replay(automaton, keyed, at);
}

/** Goes through the recent hits from the one at `from` on. */
export function replay(automaton: Automaton, keyed: Keyed, from: number): readonly Link[] {
  const { recent, windows } = keyed;
  let completed = NO_LINKS;
  let partial = recent[from]!.before;
  for (let i = from; i < recent.length; i++) {
    const one = recent[i]!;
    one.before = partial;
    partial = automaton.take(partial, one.hit, windows);
    const link = automaton.completed;
    if (link === undefined) continue;
    // What had been completed then is completed again, and not told again.
    if (!one.hit.reported) completed = [...completed, link];
    markReported(link);
  }
  keyed.partial = partial;
  return completed;
}

export function markReported(link: Link): void {
  for (let one: Link | undefined = link; one !== undefined; one = one.previous)
    for (const hit of one.hits) hit.reported = true;
}

/** Lets go of hits before which no other is waited for any more. */
export function forgetRecent({ recent }: Keyed, openSinceUs: number): void {
  let gone = 0;
  while (gone < recent.length && (recent[gone]!.hit.timeUs < openSinceUs || recent.length - gone >= LIMITS.recentHits))
    gone++;
  if (gone > 0) recent.splice(0, gone);
}

/** Nothing has begun, and nothing keeps it from beginning. */
export function isIdle({ begins }: Automaton, { partial, windows }: Keyed): boolean {
  return (
    partial.guardUs === Number.NEGATIVE_INFINITY &&
    partial.waiting.every((links) => links.length === 0) &&
    windows.every(({ step, hits }) => hits.length === 0 || (begins & (1 << step)) === 0)
  );
}

/** µs: whatever it holds has happened by then, but for what is finished. */
export function newestOf({ partial, windows, recent }: Keyed): number {
  let newest = Math.max(partial.guardUs, recent.at(-1)?.hit.timeUs ?? Number.NEGATIVE_INFINITY);
  for (const links of partial.waiting) for (const { startUs } of links) newest = Math.max(newest, startUs);
  for (const { hits } of windows) newest = Math.max(newest, hits.at(-1)?.timeUs ?? newest);
  return newest;
}

/** Hits that it holds, about: those that several hold are counted for each. */
export function heldBy({ partial, windows, recent }: Keyed): number {
  let held = 0;
  for (let i = 0; i < recent.length; i++) held += sizeOf(recent[i]!.hit);
  for (const { hits } of partial.waiting.at(-1) ?? NO_LINKS) held += sizeOf(hits.at(-1)!) - 1;
  for (let s = 0; s < partial.waiting.length; s++) held += partial.waiting[s]!.length * (s + 1);
  for (let i = 0; i < windows.length; i++) held += windows[i]!.hits.length;
  return held;
}
