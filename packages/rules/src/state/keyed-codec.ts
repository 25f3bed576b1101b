import type { FieldValue } from '../catalogue.ts';
import { StateError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Sequence } from '../sequence.ts';
import type { Automaton } from './automaton.ts';
import { decodeEntry, encodeEntry, isListOf, isNumber } from './codec.ts';
import { NO_EXTRAS } from './extras.ts';
import type { Hit } from './hits.ts';
import { type Key, MIDDLE, OLDEST } from './key-rows.ts';
import { putRecent, replay } from './keyed.ts';
import type { Link } from './links.ts';
import { mostOf, type Window, windowsOf } from './windows.ts';

const VERSION = 2;
const MOST_HITS = 65_536;

type HitEntry = [
  timeUs: number,
  steps: number,
  weight: number,
  id: string,
  /** 0: it is part of no alert. 1: it is. From 2 on: of one that was told behind the recent hit of that number, less 2 */
  told: number,
  values: unknown[],
  witness?: string,
];
/** from the first step on: hits by index, start, count */
type LinkEntry = [hits: number[], startUs: number, count: number][];
type WindowEntry = [step: number, runs: number, hits: number[]];

/** What was saved of a key, each number of a hit one of `hits`. */
export interface Saved {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly ordinal: number;
  readonly sinceUs: number;
  readonly closedUs: number | null;
  /** µs, of the last event that must not have come before the first */
  readonly guardUs: number | null;
  readonly hits: readonly HitEntry[];
  /** by event step, oldest first */
  readonly links: readonly (readonly LinkEntry[])[];
  readonly recent: readonly number[];
  readonly windows: readonly WindowEntry[];
  /** index in `recent`; null: none */
  readonly middle: number | null;
}

/** What came before the recent hits, and these: the rest follows from them. Each hit once, in their order, since what is told is known by it. */
export function encodeKeyed({ partials }: Automaton, key: Key): Uint8Array {
  const { hits, links, words } = partials;
  const before = partials.before(key);
  const windows = partials.windowsOf(key);
  const queues = partials.rooms.map((_, s) =>
    partials
      .queue(before, s)
      .reverse()
      .map((link) => links.stepsOf(link)),
  );
  const recent: Hit[] = [];
  for (let hit = words[key + OLDEST]!; hit !== 0; hit = hits.newerOf(hit)) recent.push(hit);
  const linked = queues.flat(2).flatMap((link) => links.hitsOf(link));
  const all = [...new Set([...linked, ...recent, ...windows.flatMap((window) => window.hits)])];
  const numbers = new Map(all.sort((a, b) => hits.compare(a, b)).map((hit, number) => [hit, number]));
  const number = (hit: Hit): number => numbers.get(hit)!;
  const linkEntry = (steps: readonly Link[]): LinkEntry =>
    steps.map((one) => [links.hitsOf(one).map(number), links.startOf(one), links.countOf(one)]);
  const entries = all.map((hit): HitEntry => {
    const { weight, values, witness } = hits.extrasOf(hit);
    const told = hits.isTold(hit) ? 2 + hits.toldIn(hit, recent) : 0;
    const kept = values.map((value) => value ?? null);
    const entry: HitEntry = [hits.timeOf(hit), hits.stepsOf(hit), weight, hits.idOf(hit), told, kept];
    if (witness !== '') entry[6] = witness;
    return entry;
  });
  const waiting = queues.map((queue) => queue.map(linkEntry));
  const runs = windows.map(({ step, runs: most, hits: window }): WindowEntry => [step, most, window.map(number)]);
  const guard = partials.guard(before);
  const guardUs = guard === 0 ? null : hits.timeOf(guard);
  const closedUs = Number.isFinite(partials.closedOf(key)) ? partials.closedOf(key) : null;
  const middle = words[key + MIDDLE] === 0 ? null : recent.indexOf(words[key + MIDDLE]!);
  return encodeEntry(VERSION, [
    partials.ordinalOf(key),
    partials.sinceOf(key),
    guardUs,
    entries,
    waiting,
    recent.map(number),
    runs,
    closedUs,
    middle,
  ]);
}

/** @throws StateError */
export function decodeKeyed(id: string, key: string, bytes: Uint8Array): Saved {
  const fields = decodeEntry(id, bytes, VERSION);
  const [ordinal, sinceUs, guardUs, hits, links, recent, windows, closedUs, middle = null] = fields;
  if (
    !isCount(ordinal) ||
    !isNumber(sinceUs) ||
    !isTime(closedUs) ||
    !isTime(guardUs) ||
    !(middle === null || isCount(middle)) ||
    !isListOf(hits, MOST_HITS, isHit) ||
    !isListOf(links, LIMITS.sequenceSteps, isQueue) ||
    !isIndexes(recent) ||
    recent.length > LIMITS.recentHits ||
    (middle ?? 0) > Math.max(recent.length - 1, 0) ||
    !isListOf(windows, LIMITS.sequenceSteps, isWindow) ||
    !hits.every(([, , , , told]) => told < 2 + recent.length) ||
    !links.flat(2).every(([indexes]) => indexes.every((index) => index < hits.length)) ||
    ![recent, ...windows.map(([, , all]) => all)].every((indexes) => areInOrder(indexes, hits))
  )
    throw new StateError(id, 'its fields are not what this version writes');
  return { key, bytes, ordinal, sinceUs, closedUs, guardUs, hits, links, recent, windows, middle };
}

/** Each once, and in order of time. */
function areInOrder(indexes: readonly number[], hits: readonly HitEntry[]): boolean {
  if (new Set(indexes).size < indexes.length || indexes.some((index) => index >= hits.length)) return false;
  return indexes.every((index, i) => i === 0 || hits[indexes[i - 1]!]![0] <= hits[index]![0]);
}

/** The events that were kept whole. */
export function witnessesOf({ hits }: Saved): string[] {
  return [...new Set(hits.flatMap(([, , , , , , witness = '']) => (witness === '' ? [] : [witness])))];
}

/** µs: whatever it holds has happened by then. */
export function latestOf({ sinceUs, guardUs, closedUs, hits, links }: Saved): number {
  const times = hits.map(([timeUs]) => timeUs);
  const starts = links.flat(2).map(([, startUs]) => startUs);
  return [...times, ...starts, guardUs ?? sinceUs, closedUs ?? sinceUs].reduce((a, b) => Math.max(a, b), sinceUs);
}

/** It is of the sequence that its name says: as many steps, the same runs, the same values. */
export function isOf(sequence: Sequence<unknown>, { partials: { rooms, guarded } }: Automaton, saved: Saved): boolean {
  const runs = windowsOf(sequence);
  const { hits, links, windows, guardUs } = saved;
  if (guardUs !== null && !guarded) return false;
  const areHits = hits.every(
    ([, steps, weight, , , values, witness = '']) =>
      steps < 1 << sequence.steps.length &&
      ((weight === 1 && values.length === 0 && witness === '') || values.length === sequence.kept.length),
  );
  const areQueues = links.every(
    (queue, s) => queue.length <= rooms[s]! && queue.every(({ length }) => length === (sequence.ordered ? s + 1 : 1)),
  );
  const areWindows = windows.every(([step, most], i) => step === runs[i]?.step && most === runs[i]?.runs);
  return areHits && links.length === rooms.length && areQueues && windows.length === runs.length && areWindows;
}

/** What was saved, with its recent hits gone through. Nothing is told of it: what is told was saved with it. */
export function revive(automaton: Automaton, saved: Saved): Key {
  const { partials } = automaton;
  const { hits, links } = partials;
  const { ordinal, sinceUs, closedUs, guardUs, recent, middle } = saved;
  const all = reviveHits(automaton, saved);
  const windows = saved.windows.map(
    ([step, runs, indexes]): Window => ({ step, runs, hits: indexes.map((index) => all[index]!) }),
  );
  for (const window of windows) for (const hit of window.hits) hits.retain(hit);
  const key = partials.put(saved.key, ordinal, sinceUs, windows);
  if (closedUs !== null) partials.setClosed(key, closedUs);
  const before = partials.before(key);
  for (const [s, queue] of saved.links.entries())
    for (const entry of queue) {
      const link = reviveLink(automaton, entry, all);
      partials.push(before, s, link);
      links.release(link);
    }
  if (guardUs !== null) {
    const guard = hits.add(guardUs, 0, '', NO_EXTRAS);
    partials.putGuard(before, guard);
    hits.release(guard);
  }
  putRecent(
    automaton,
    key,
    recent.map((index) => all[index]!),
    middle === null ? 0 : (all[recent[middle]!] ?? 0),
  );
  for (const [index, [, , , , told]] of saved.hits.entries())
    if (told > 0) hits.tell(all[index]!, hits.placeOf(told === 1 ? 0 : all[recent[told - 2]!]!));
  for (const hit of all) hits.release(hit);
  for (const link of replay(automaton, key)) links.release(link);
  return key;
}

function reviveHits({ partials: { hits } }: Automaton, saved: Saved): Hit[] {
  return saved.hits.map(([timeUs, steps, weight, id, , values, witness = '']) => {
    const isPlain = weight === 1 && values.length === 0 && witness === '';
    const kept = values.map((value) => (value ?? undefined) as FieldValue);
    return hits.add(timeUs, steps, id, isPlain ? NO_EXTRAS : { weight, values: kept, witness });
  });
}

function reviveLink({ partials: { links } }: Automaton, entry: LinkEntry, all: readonly Hit[]): Link {
  let link = 0;
  for (const [indexes, startUs, count] of entry) {
    const hits = indexes.map((index) => all[index]!);
    const next = links.add(link, hits.at(-1)!, hits.length === 1 ? undefined : { hits, startUs, count });
    links.release(link);
    link = next;
  }
  return link;
}

function isHit(value: unknown): value is HitEntry {
  if (!Array.isArray(value) || value.length < 6 || value.length > 7) return false;
  const [timeUs, steps, weight, id, told, values, witness = ''] = value as unknown[];
  const numbers = isNumber(timeUs) && isCount(steps) && isNumber(weight) && weight >= 1;
  return numbers && isText(id) && isCount(told) && isText(witness) && isListOf(values, LIMITS.keptValues, isValue);
}

function isValue(value: unknown): value is unknown {
  return (
    value === null ||
    ['string', 'number', 'boolean'].includes(typeof value) ||
    isListOf(value, LIMITS.keptItems, isText)
  );
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTime = (value: unknown): value is number | null => value === null || isNumber(value);
const isIndexes = (value: unknown): value is number[] => isListOf(value, MOST_HITS, isCount);

function isQueue(value: unknown): value is LinkEntry[] {
  return isListOf(value, LIMITS.waiting, isLink);
}

function isLink(value: unknown): value is LinkEntry {
  return isListOf(value, LIMITS.sequenceSteps, isStep) && value.length > 0;
}

function isStep(value: unknown): value is LinkEntry[number] {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [hits, startUs, count] = value as unknown[];
  return isListOf(hits, LIMITS.listedRuns, isCount) && hits.length > 0 && isNumber(startUs) && isNumber(count);
}

function isWindow(value: unknown): value is WindowEntry {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [step, runs, hits] = value as unknown[];
  if (!isCount(step) || !isCount(runs) || runs < 2 || runs > LIMITS.thresholdCount) return false;
  return isListOf(hits, mostOf(runs), isCount);
}
