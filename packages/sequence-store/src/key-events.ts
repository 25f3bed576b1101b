import type { Automaton } from './automaton.ts';
import { type EventRow, type KeyRow, NO_EVENT, NO_PARTIAL, type PartialRow } from './handles.ts';
import { MIDDLE, NEWEST, OLDEST, RECENT, RECENT_SIZE } from './key-rows.ts';
import { SEQUENCE_LIMITS } from './limits.ts';
import { NO_PARTIALS } from './partial-rows.ts';
import { insertInWindows } from './run-windows.ts';

/**
 * Applies an event to a key in order of time: a late event takes its place among the recent ones, which are replayed.
 * @returns completed sequences, for the caller to release
 */
export function takeEvent(
  automaton: Automaton,
  key: KeyRow,
  event: EventRow,
  openSinceUs: number,
): readonly PartialRow[] {
  const { states } = automaton;
  const { events } = states;
  const windows = states.windowsOf(key);
  forgetRecent(automaton, key, openSinceUs);
  const closedUs = states.closedOf(key);
  if (events.timeOf(event) < closedUs) events.setTime(event, closedUs);
  const isNewest = insertRecent(automaton, key, event);
  if (windows.length > 0) {
    // A replay of the recent events needs the runs that end with them, so the windows reach back one span further.
    const oldestUs = events.timeOf(states.words[key + OLDEST]! as EventRow);
    insertInWindows(events, windows, event, Math.min(openSinceUs, oldestUs) - automaton.maxspanUs);
  }
  if (!isNewest) return replay(automaton, key);
  return withNewMatch(automaton, NO_PARTIALS, automaton.take(states.current(key), event, windows), event);
}

/** Replays the recent events of a key. @returns completed sequences, for the caller to release */
export function replay(automaton: Automaton, key: KeyRow): readonly PartialRow[] {
  const { states } = automaton;
  const { words } = states;
  const current = states.current(key);
  const windows = states.windowsOf(key);
  let completed = NO_PARTIALS;
  states.copy(states.before(key), current);
  let event = words[key + OLDEST]! as EventRow;
  for (; event !== NO_EVENT; event = states.events.newerOf(event)) {
    completed = withNewMatch(automaton, completed, automaton.take(current, event, windows), event);
    if (event === words[key + MIDDLE]) states.copy(current, states.middle(key));
  }
  return completed;
}

/** Adds a completed sequence unless it was reported before: a replay completes it again. */
function withNewMatch(
  { states: { events, partials } }: Automaton,
  completed: readonly PartialRow[],
  partial: PartialRow,
  event: EventRow,
): readonly PartialRow[] {
  if (partial === NO_PARTIAL) return completed;
  if (events.hasCompleted(event)) {
    partials.release(partial);
    return completed;
  }
  partials.markAlerted(partial, event);
  return [...completed, partial];
}

/** Inserts an event into the recent ones, behind those that are not newer. @returns whether it is the newest */
function insertRecent({ states: { events, words } }: Automaton, key: KeyRow, event: EventRow): boolean {
  const newest = words[key + NEWEST]! as EventRow;
  const timeUs = events.timeOf(event);
  events.retain(event);
  events.setNewest(event);
  words[key + RECENT]!++;
  words[key + RECENT_SIZE]! += events.sizeOf(event);
  if (newest === NO_EVENT || events.timeOf(newest) <= timeUs) {
    if (newest === NO_EVENT) words[key + OLDEST] = event;
    else events.setNewer(newest, event);
    words[key + NEWEST] = event;
    return true;
  }
  let previous = NO_EVENT;
  let next = words[key + OLDEST]! as EventRow;
  for (; events.timeOf(next) <= timeUs; next = events.newerOf(next)) previous = next;
  events.setNewer(event, next);
  if (previous === NO_EVENT) words[key + OLDEST] = event;
  else events.setNewer(previous, event);
  return false;
}

/** Restores a key's recent events, given in order. @param middle one of them; 0: none */
export function putRecent(automaton: Automaton, key: KeyRow, recent: readonly EventRow[], middle: EventRow): void {
  for (const event of recent) insertRecent(automaton, key, event);
  const { states } = automaton;
  if (middle !== NO_EVENT) states.setMiddle(key, middle, states.events.timeOf(middle));
}

/**
 * Releases recent events before which no other event can arrive any more. The state behind the middle event is stored,
 * so no event is applied twice except in a flood, when the oldest event is applied and dropped.
 */
function forgetRecent(automaton: Automaton, key: KeyRow, openSinceUs: number): void {
  const { states } = automaton;
  const { events, words } = states;
  const middle = words[key + MIDDLE]! as EventRow;
  if (middle === NO_EVENT || states.middleTimeOf(key) < openSinceUs) {
    const newest = words[key + NEWEST]! as EventRow;
    if (newest === NO_EVENT) return;
    if (events.timeOf(newest) < openSinceUs) forgetUpTo(automaton, key, newest, states.current(key));
    else if (middle !== NO_EVENT) forgetUpTo(automaton, key, middle, states.middle(key));
  }
  while (words[key + RECENT]! >= SEQUENCE_LIMITS.recentHits) {
    const oldest = words[key + OLDEST]! as EventRow;
    if (events.timeOf(oldest) >= openSinceUs) states.setClosed(key, events.timeOf(oldest));
    states.partials.release(automaton.take(states.before(key), oldest, states.windowsOf(key)));
    forgetOldest(automaton, key);
  }
  const last = words[key + NEWEST]! as EventRow;
  if (words[key + MIDDLE] !== 0 || last === NO_EVENT) return;
  states.setMiddle(key, last, events.timeOf(last));
  states.copy(states.current(key), states.middle(key));
}

/** Releases the recent events up to `last`. @param at the state behind `last` */
function forgetUpTo(automaton: Automaton, key: KeyRow, last: EventRow, at: number): void {
  const { states } = automaton;
  states.copy(at, states.before(key));
  const next = states.events.newerOf(last);
  while (states.words[key + OLDEST] !== next) forgetOldest(automaton, key);
}

function forgetOldest({ states: { events, words } }: Automaton, key: KeyRow): void {
  const oldest = words[key + OLDEST]! as EventRow;
  const next = events.newerOf(oldest);
  words[key + OLDEST] = next;
  if (next === NO_EVENT) words[key + NEWEST] = 0;
  if (oldest === words[key + MIDDLE]) words[key + MIDDLE] = 0;
  words[key + RECENT]!--;
  words[key + RECENT_SIZE]! -= events.sizeOf(oldest);
  events.setNewer(oldest, NO_EVENT);
  events.release(oldest);
}

/**
 * Returns the sequences that are complete because no forbidden event came until `nowUs`, oldest first, for the caller
 * to release; undefined: the key did not change.
 */
export function takeDue(
  { states, stages, maxspanUs }: Automaton,
  key: KeyRow,
  nowUs: number,
): PartialRow[] | undefined {
  const { partials, words } = states;
  const current = states.current(key);
  const last = stages - 1;
  const isDue = (partial: PartialRow): boolean => partials.startOf(partial) + maxspanUs < nowUs;
  const due = states.queue(current, last).filter(isDue).reverse();
  if (due.length === 0) return undefined;
  const completed = due.filter((partial) => {
    if (partials.isAlerted(partial)) return false;
    partials.markAlerted(partial, words[key + NEWEST]! as EventRow);
    partials.retain(partial);
    return true;
  });
  states.filter(current, last, (partial) => !isDue(partial));
  return completed;
}

/** Releases everything that a key holds, and deletes the key. */
export function close({ states }: Automaton, key: KeyRow): void {
  const { events, words } = states;
  for (let event = words[key + OLDEST]! as EventRow; event !== NO_EVENT; ) {
    const next = events.newerOf(event);
    events.release(event);
    event = next;
  }
  for (const window of states.windowsOf(key)) for (const event of window.events) events.release(event);
  states.close(key);
  states.delete(key);
}

/** Whether no sequence has begun for a key, and no event keeps one from beginning. */
export function isIdle({ states, begins }: Automaton, key: KeyRow): boolean {
  if (!states.isEmpty(states.current(key))) return false;
  return states.windowsOf(key).every(({ step, events }) => events.length === 0 || (begins & (1 << step)) === 0);
}

/** Returns the time of the newest event that a key holds, except events of completed sequences, in µs. */
export function newestOf({ states }: Automaton, key: KeyRow): number {
  const { events, partials, capacities, words } = states;
  const current = states.current(key);
  const newest = words[key + NEWEST]! as EventRow;
  let latest = newest === NO_EVENT ? Number.NEGATIVE_INFINITY : events.timeOf(newest);
  for (let stage = 0; stage < capacities.length; stage++)
    for (const partial of states.queue(current, stage)) latest = Math.max(latest, partials.startOf(partial));
  const guard = states.guard(current);
  if (guard !== NO_EVENT) latest = Math.max(latest, events.timeOf(guard));
  for (const window of states.windowsOf(key))
    if (window.events.length > 0) latest = Math.max(latest, events.timeOf(window.events.at(-1)!));
  return latest;
}

/** Returns how many events a key holds, about: a shared event counts once for each holder. */
export function heldBy({ states, stages, waits }: Automaton, key: KeyRow): number {
  const current = states.current(key);
  const windows = states.windowsOf(key);
  let held = states.words[key + RECENT_SIZE]! + states.heldBy(current);
  if (waits)
    for (const partial of states.queue(current, stages - 1))
      held += states.events.sizeOf(states.partials.eventOf(partial)) - 1;
  for (let i = 0; i < windows.length; i++) held += windows[i]!.events.length;
  return held;
}
