import type { FieldValue } from '@ringfence/fields';
import type { Automaton } from './automaton.ts';
import { NO_DETAILS } from './event-rows.ts';
import { type EventRow, type KeyRow, NO_EVENT, NO_PARTIAL, type PartialRow } from './handles.ts';
import { putRecent, replay } from './key-events.ts';
import { MIDDLE, OLDEST } from './key-rows.ts';
import { SEQUENCE_LIMITS } from './limits.ts';
import { maxEvents, type RunWindow, windowsFor } from './run-windows.ts';
import type { SequenceShape } from './shape.ts';

/** Version of the fields of a saved key. */
export const KEY_VERSION = 2;
const MAX_EVENTS = 65_536;

type EventEntry = [
  timeUs: number,
  steps: number,
  weight: number,
  id: string,
  /** 0: in no alert. 1: in an alert. 2 + n: in an alert that was raised behind recent event n. */
  alerted: number,
  values: unknown[],
  witness?: string,
];
/** Steps from the first on: events by index, start, count. */
type PartialEntry = [events: number[], startUs: number, count: number][];
type WindowEntry = [step: number, runs: number, events: number[]];

/** A saved key. Events are indexes in `events`. */
export interface SavedKey {
  readonly key: string;
  /** The fields that it was decoded from. */
  readonly fields: readonly unknown[];
  readonly ordinal: number;
  readonly sinceUs: number;
  readonly closedUs: number | null;
  /** Time of the last event that must not come before the first step, in µs. */
  readonly guardUs: number | null;
  readonly events: readonly EventEntry[];
  /** Unfinished sequences by stage, oldest first. */
  readonly partials: readonly (readonly PartialEntry[])[];
  readonly recent: readonly number[];
  readonly windows: readonly WindowEntry[];
  /** Index in `recent`; null: none. */
  readonly middle: number | null;
}

/**
 * Encodes a key: the state before its recent events, and these events, from which the other states follow. Each event
 * is stored once, in order, because alert marks refer to it.
 */
export function encodeKey({ states }: Automaton, key: KeyRow): unknown[] {
  const { events, partials, words } = states;
  const before = states.before(key);
  const windows = states.windowsOf(key);
  const queues = states.capacities.map((_, stage) =>
    states
      .queue(before, stage)
      .reverse()
      .map((partial) => partials.stepsOf(partial)),
  );
  const recent: EventRow[] = [];
  for (let event = words[key + OLDEST]! as EventRow; event !== NO_EVENT; event = events.newerOf(event))
    recent.push(event);
  const queued = queues.flat(2).flatMap((step) => partials.eventsOf(step));
  const all = [...new Set([...queued, ...recent, ...windows.flatMap((window) => window.events)])];
  const indexes = new Map(all.sort((a, b) => events.compare(a, b)).map((event, index) => [event, index]));
  const indexOf = (event: EventRow): number => indexes.get(event)!;
  const partialEntry = (steps: readonly PartialRow[]): PartialEntry =>
    steps.map((step) => [partials.eventsOf(step).map(indexOf), partials.startOf(step), partials.countOf(step)]);
  const entries = all.map((event): EventEntry => {
    const { weight, values, witness } = events.detailsOf(event);
    const alerted = events.isAlerted(event) ? 2 + events.alertIndexIn(event, recent) : 0;
    const kept = values.map((value) => value ?? null);
    const entry: EventEntry = [events.timeOf(event), events.stepsOf(event), weight, events.idOf(event), alerted, kept];
    if (witness !== '') entry[6] = witness;
    return entry;
  });
  const waiting = queues.map((queue) => queue.map(partialEntry));
  const runs = windows.map(({ step, runs: count, events: window }): WindowEntry => [step, count, window.map(indexOf)]);
  const guard = states.guard(before);
  const guardUs = guard === NO_EVENT ? null : events.timeOf(guard);
  const closedUs = Number.isFinite(states.closedOf(key)) ? states.closedOf(key) : null;
  const middle = words[key + MIDDLE] === 0 ? null : recent.indexOf(words[key + MIDDLE]! as EventRow);
  return [
    states.ordinalOf(key),
    states.sinceOf(key),
    guardUs,
    entries,
    waiting,
    recent.map(indexOf),
    runs,
    closedUs,
    middle,
  ];
}

/** Returns undefined if the fields are not what encodeKey writes. */
export function decodeKey(key: string, fields: readonly unknown[]): SavedKey | undefined {
  const [ordinal, sinceUs, guardUs, events, partials, recent, windows, closedUs, middle = null] = fields;
  if (
    !isCount(ordinal) ||
    !isNumber(sinceUs) ||
    !isTime(closedUs) ||
    !isTime(guardUs) ||
    !(middle === null || isCount(middle)) ||
    !isListOf(events, MAX_EVENTS, isEvent) ||
    !isListOf(partials, SEQUENCE_LIMITS.sequenceSteps, isQueue) ||
    !isIndexes(recent) ||
    recent.length > SEQUENCE_LIMITS.recentHits ||
    (middle ?? 0) > Math.max(recent.length - 1, 0) ||
    !isListOf(windows, SEQUENCE_LIMITS.sequenceSteps, isWindow) ||
    !events.every(([, , , , alerted]) => alerted < 2 + recent.length) ||
    !partials.flat(2).every(([indexes]) => indexes.every((index) => index < events.length)) ||
    ![recent, ...windows.map(([, , members]) => members)].every((indexes) => areInOrder(indexes, events))
  )
    return undefined;
  return { key, fields, ordinal, sinceUs, closedUs, guardUs, events, partials, recent, windows, middle };
}

/** Whether each index occurs once, in order of time. */
function areInOrder(indexes: readonly number[], events: readonly EventEntry[]): boolean {
  if (new Set(indexes).size < indexes.length || indexes.some((index) => index >= events.length)) return false;
  return indexes.every((index, i) => i === 0 || events[indexes[i - 1]!]![0] <= events[index]![0]);
}

/** Returns the witnesses of a saved key, each once. */
export function witnessesOf({ events }: SavedKey): string[] {
  return [...new Set(events.flatMap(([, , , , , , witness = '']) => (witness === '' ? [] : [witness])))];
}

/** Returns the newest time in a saved key, in µs. */
export function latestOf({ sinceUs, guardUs, closedUs, events, partials }: SavedKey): number {
  const times = events.map(([timeUs]) => timeUs);
  const starts = partials.flat(2).map(([, startUs]) => startUs);
  return [...times, ...starts, guardUs ?? sinceUs, closedUs ?? sinceUs].reduce((a, b) => Math.max(a, b), sinceUs);
}

/** Whether a saved key belongs to a sequence of this shape: the same number of steps, runs and kept values. */
export function hasShape(
  sequence: SequenceShape<unknown>,
  { states: { capacities, guarded } }: Automaton,
  saved: SavedKey,
): boolean {
  const runs = windowsFor(sequence.steps);
  const { events, partials, windows, guardUs } = saved;
  if (guardUs !== null && !guarded) return false;
  const eventsFit = events.every(
    ([, steps, weight, , , values, witness = '']) =>
      steps < 1 << sequence.steps.length &&
      ((weight === 1 && values.length === 0 && witness === '') || values.length === sequence.kept.length),
  );
  const queuesFit = partials.every(
    (queue, stage) =>
      queue.length <= capacities[stage]! && queue.every(({ length }) => length === (sequence.ordered ? stage + 1 : 1)),
  );
  const windowsFit = windows.every(([step, count], i) => step === runs[i]?.step && count === runs[i]?.runs);
  return (
    eventsFit && partials.length === capacities.length && queuesFit && windows.length === runs.length && windowsFit
  );
}

/** Restores a saved key and replays its recent events. Matches that were reported are marked in the saved key. */
export function restoreKey(automaton: Automaton, saved: SavedKey): KeyRow {
  const { states } = automaton;
  const { events, partials } = states;
  const { ordinal, sinceUs, closedUs, guardUs, recent, middle } = saved;
  const all = restoreEvents(automaton, saved);
  const windows = saved.windows.map(
    ([step, runs, indexes]): RunWindow => ({ step, runs, events: indexes.map((index) => all[index]!) }),
  );
  for (const window of windows) for (const event of window.events) events.retain(event);
  const key = states.insert(saved.key, ordinal, sinceUs, windows);
  if (closedUs !== null) states.setClosed(key, closedUs);
  const before = states.before(key);
  for (const [stage, queue] of saved.partials.entries())
    for (const entry of queue) {
      const partial = restorePartial(automaton, entry, all);
      states.push(before, stage, partial);
      partials.release(partial);
    }
  if (guardUs !== null) {
    const guard = events.add(guardUs, 0, '', NO_DETAILS);
    states.setGuard(before, guard);
    events.release(guard);
  }
  putRecent(
    automaton,
    key,
    recent.map((index) => all[index]!),
    middle === null ? NO_EVENT : (all[recent[middle]!] ?? NO_EVENT),
  );
  for (const [index, [, , , , alerted]] of saved.events.entries())
    if (alerted > 0)
      events.markAlerted(all[index]!, events.positionOf(alerted === 1 ? NO_EVENT : all[recent[alerted - 2]!]!));
  for (const event of all) events.release(event);
  for (const partial of replay(automaton, key)) partials.release(partial);
  return key;
}

function restoreEvents({ states: { events } }: Automaton, saved: SavedKey): EventRow[] {
  return saved.events.map(([timeUs, steps, weight, id, , values, witness = '']) => {
    const isPlain = weight === 1 && values.length === 0 && witness === '';
    const kept = values.map((value) => (value ?? undefined) as FieldValue);
    return events.add(timeUs, steps, id, isPlain ? NO_DETAILS : { weight, values: kept, witness });
  });
}

function restorePartial(
  { states: { partials } }: Automaton,
  entry: PartialEntry,
  all: readonly EventRow[],
): PartialRow {
  let partial = NO_PARTIAL;
  for (const [indexes, startUs, count] of entry) {
    const events = indexes.map((index) => all[index]!);
    const next = partials.add(partial, events.at(-1)!, events.length === 1 ? undefined : { events, startUs, count });
    partials.release(partial);
    partial = next;
  }
  return partial;
}

function isEvent(value: unknown): value is EventEntry {
  if (!Array.isArray(value) || value.length < 6 || value.length > 7) return false;
  const [timeUs, steps, weight, id, alerted, values, witness = ''] = value as unknown[];
  const numbers = isNumber(timeUs) && isCount(steps) && isNumber(weight) && weight >= 1;
  const texts = isText(id) && isText(witness);
  return numbers && texts && isCount(alerted) && isListOf(values, SEQUENCE_LIMITS.keptValues, isValue);
}

function isValue(value: unknown): value is unknown {
  return (
    value === null ||
    ['string', 'number', 'boolean'].includes(typeof value) ||
    isListOf(value, SEQUENCE_LIMITS.keptItems, isText)
  );
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTime = (value: unknown): value is number | null => value === null || isNumber(value);
const isIndexes = (value: unknown): value is number[] => isListOf(value, MAX_EVENTS, isCount);

function isQueue(value: unknown): value is PartialEntry[] {
  return isListOf(value, SEQUENCE_LIMITS.waiting, isPartial);
}

function isPartial(value: unknown): value is PartialEntry {
  return isListOf(value, SEQUENCE_LIMITS.sequenceSteps, isStep) && value.length > 0;
}

function isStep(value: unknown): value is PartialEntry[number] {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [events, startUs, count] = value as unknown[];
  return (
    isListOf(events, SEQUENCE_LIMITS.listedRuns, isCount) && events.length > 0 && isNumber(startUs) && isNumber(count)
  );
}

function isWindow(value: unknown): value is WindowEntry {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [step, runs, events] = value as unknown[];
  if (!isCount(step) || !isCount(runs) || runs < 2 || runs > SEQUENCE_LIMITS.runs) return false;
  return isListOf(events, maxEvents(runs), isCount);
}

export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

export const isText = (value: unknown): value is string => typeof value === 'string';

/** Accepts a list of at most `max` items, each of which passes `isItem`. */
export function isListOf<T>(value: unknown, max: number, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.length <= max && value.every(isItem);
}
