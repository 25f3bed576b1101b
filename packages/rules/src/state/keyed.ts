import { LIMITS } from '../limits.ts';
import type { Automaton } from './automaton.ts';
import type { Hit } from './hits.ts';
import { type Key, MIDDLE, NEWEST, OLDEST, RECENT, RECENT_SIZE } from './key-rows.ts';
import { type Link, NO_LINKS } from './links.ts';
import { insertInWindows } from './windows.ts';

/** Takes a hit in order of time: before one that came late nothing has changed, so all is gone through anew. @returns what is finished, to be released */
export function takeHit(automaton: Automaton, key: Key, hit: Hit, openSinceUs: number): readonly Link[] {
  const { partials } = automaton;
  const { hits } = partials;
  const windows = partials.windowsOf(key);
  forgetRecent(automaton, key, openSinceUs);
  const closedUs = partials.closedOf(key);
  if (hits.timeOf(hit) < closedUs) hits.setTime(hit, closedUs);
  const isNewest = insertRecent(automaton, key, hit);
  if (windows.length > 0) {
    // What waits for nothing to come is of use when its span is over: as long as its hits may be gone through anew, its run must be there.
    const oldestUs = hits.timeOf(partials.words[key + OLDEST]!);
    insertInWindows(hits, windows, hit, Math.min(openSinceUs, oldestUs) - automaton.maxspanUs);
  }
  if (!isNewest) return replay(automaton, key);
  return told(automaton, NO_LINKS, automaton.take(partials.now(key), hit, windows), hit);
}

/** Goes through the recent hits from the first on. @returns what is finished, to be released */
export function replay(automaton: Automaton, key: Key): readonly Link[] {
  const { partials } = automaton;
  const { words } = partials;
  const now = partials.now(key);
  const windows = partials.windowsOf(key);
  let completed = NO_LINKS;
  partials.copy(partials.before(key), now);
  for (let one = words[key + OLDEST]!; one !== 0; one = partials.hits.newerOf(one)) {
    completed = told(automaton, completed, automaton.take(now, one, windows), one);
    if (one === words[key + MIDDLE]) partials.copy(now, partials.middle(key));
  }
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
function insertRecent({ partials: { hits, words } }: Automaton, key: Key, hit: Hit): boolean {
  const newest = words[key + NEWEST]!;
  const timeUs = hits.timeOf(hit);
  hits.retain(hit);
  hits.enter(hit);
  words[key + RECENT]!++;
  words[key + RECENT_SIZE]! += hits.sizeOf(hit);
  if (newest === 0 || hits.timeOf(newest) <= timeUs) {
    if (newest === 0) words[key + OLDEST] = hit;
    else hits.setNewer(newest, hit);
    words[key + NEWEST] = hit;
    return true;
  }
  let previous = 0;
  let next = words[key + OLDEST]!;
  for (; hits.timeOf(next) <= timeUs; next = hits.newerOf(next)) previous = next;
  hits.setNewer(hit, next);
  if (previous === 0) words[key + OLDEST] = hit;
  else hits.setNewer(previous, hit);
  return false;
}

/** What is restored, in order. @param middle one of them; 0: none */
export function putRecent(automaton: Automaton, key: Key, recent: readonly Hit[], middle: Hit): void {
  for (const hit of recent) insertRecent(automaton, key, hit);
  const { partials } = automaton;
  if (middle !== 0) partials.setMiddle(key, middle, partials.hits.timeOf(middle));
}

/**
 * Lets go of hits before which no other is waited for any more. What there was behind one of them is known, so that no hit has to be taken a second time,
 * but in a flood: then the oldest goes.
 */
function forgetRecent(automaton: Automaton, key: Key, openSinceUs: number): void {
  const { partials } = automaton;
  const { hits, words } = partials;
  const middle = words[key + MIDDLE]!;
  if (middle === 0 || partials.middleTimeOf(key) < openSinceUs) {
    const newest = words[key + NEWEST]!;
    if (newest === 0) return;
    if (hits.timeOf(newest) < openSinceUs) forgetUpTo(automaton, key, newest, partials.now(key));
    else if (middle !== 0) forgetUpTo(automaton, key, middle, partials.middle(key));
  }
  while (words[key + RECENT]! >= LIMITS.recentHits) {
    const oldest = words[key + OLDEST]!;
    if (hits.timeOf(oldest) >= openSinceUs) partials.setClosed(key, hits.timeOf(oldest));
    partials.links.release(automaton.take(partials.before(key), oldest, partials.windowsOf(key)));
    forgetOldest(automaton, key);
  }
  const last = words[key + NEWEST]!;
  if (words[key + MIDDLE] !== 0 || last === 0) return;
  partials.setMiddle(key, last, hits.timeOf(last));
  partials.copy(partials.now(key), partials.middle(key));
}

/** @param at what there was behind the last of them */
function forgetUpTo(automaton: Automaton, key: Key, last: Hit, at: number): void {
  const { partials } = automaton;
  partials.copy(at, partials.before(key));
  const next = partials.hits.newerOf(last);
  while (partials.words[key + OLDEST] !== next) forgetOldest(automaton, key);
}

function forgetOldest({ partials: { hits, words } }: Automaton, key: Key): void {
  const one = words[key + OLDEST]!;
  const next = hits.newerOf(one);
  words[key + OLDEST] = next;
  if (next === 0) words[key + NEWEST] = 0;
  if (one === words[key + MIDDLE]) words[key + MIDDLE] = 0;
  words[key + RECENT]!--;
  words[key + RECENT_SIZE]! -= hits.sizeOf(one);
  hits.setNewer(one, 0);
  hits.release(one);
}

/** What is finished because nothing came until `nowUs`, oldest first, to be released; undefined: nothing has changed. */
export function takeDue({ partials, stages, maxspanUs }: Automaton, key: Key, nowUs: number): Link[] | undefined {
  const { links, words } = partials;
  const now = partials.now(key);
  const last = stages - 1;
  const isDue = (link: Link): boolean => links.startOf(link) + maxspanUs < nowUs;
  const due = partials.queue(now, last).filter(isDue).reverse();
  if (due.length === 0) return undefined;
  const completed = due.filter((link) => {
    if (links.isTold(link)) return false;
    links.tell(link, words[key + NEWEST]!);
    links.retain(link);
    return true;
  });
  partials.filter(now, last, (link) => !isDue(link));
  return completed;
}

/** Lets go of all that it holds, and of itself. */
export function close({ partials }: Automaton, key: Key): void {
  const { hits, words } = partials;
  for (let one = words[key + OLDEST]!; one !== 0; ) {
    const next = hits.newerOf(one);
    hits.release(one);
    one = next;
  }
  for (const window of partials.windowsOf(key)) for (const hit of window.hits) hits.release(hit);
  partials.close(key);
  partials.delete(key);
}

/** Nothing has begun, and nothing keeps it from beginning. */
export function isIdle({ partials, begins }: Automaton, key: Key): boolean {
  if (!partials.isEmpty(partials.now(key))) return false;
  return partials.windowsOf(key).every(({ step, hits }) => hits.length === 0 || (begins & (1 << step)) === 0);
}

/** µs: whatever it holds has happened by then, but for what is finished. */
export function newestOf({ partials }: Automaton, key: Key): number {
  const { hits, links, rooms, words } = partials;
  const now = partials.now(key);
  const newest = words[key + NEWEST]!;
  let latest = newest === 0 ? Number.NEGATIVE_INFINITY : hits.timeOf(newest);
  for (let s = 0; s < rooms.length; s++)
    for (const link of partials.queue(now, s)) latest = Math.max(latest, links.startOf(link));
  const guard = partials.guard(now);
  if (guard !== 0) latest = Math.max(latest, hits.timeOf(guard));
  for (const window of partials.windowsOf(key))
    if (window.hits.length > 0) latest = Math.max(latest, hits.timeOf(window.hits.at(-1)!));
  return latest;
}

/** Hits that it holds, about: those that several hold are counted for each. */
export function heldBy({ partials, stages, waits }: Automaton, key: Key): number {
  const now = partials.now(key);
  const windows = partials.windowsOf(key);
  let held = partials.words[key + RECENT_SIZE]! + partials.heldBy(now);
  if (waits)
    for (const link of partials.queue(now, stages - 1)) held += partials.hits.sizeOf(partials.links.hitOf(link)) - 1;
  for (let i = 0; i < windows.length; i++) held += windows[i]!.hits.length;
  return held;
}
