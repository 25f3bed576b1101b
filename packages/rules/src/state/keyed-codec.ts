import type { FieldValue } from '../catalogue.ts';
import { StateError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Sequence } from '../sequence.ts';
import { decodeEntry, encodeEntry, isListOf, isNumber } from './codec.ts';
import { Hit, NO_EXTRAS } from './hit.ts';
import { heldBy, Keyed, putRecent } from './keyed.ts';
import { type Automaton, countOf, hitsOf, Link, type Partial, queueOf, startOf, stepsOf } from './partial.ts';
import { mostOf, type Window, windowsOf } from './windows.ts';

const VERSION = 1;
const MOST_HITS = 65_536;

type HitEntry = [
  timeUs: number,
  steps: number,
  weight: number,
  id: string,
  reported: 0 | 1,
  values: unknown[],
  witness?: string,
];
/** from the first step on: hits by index, start, count */
type LinkEntry = [hits: number[], startUs: number, count: number][];
type WindowEntry = [step: number, runs: number, hits: number[]];

/** What came before the recent hits, and these: the rest follows from them. Each hit once, since what is reported is known by it. */
export function encodeKeyed({ partial, oldest, windows, ordinal, sinceUs }: Keyed): Uint8Array {
  const hits = new Map<Hit, number>();
  const number = (hit: Hit): number => {
    const known = hits.get(hit) ?? hits.size;
    hits.set(hit, known);
    return known;
  };
  const start = oldest?.before ?? partial;
  const links = start.slice(0, -1).map((queue) => queueOf(queue).map((link) => linkEntry(link, number)));
  const recents: number[] = [];
  for (let hit = oldest; hit !== undefined; hit = hit.newer) recents.push(number(hit));
  const runs = windows.map(({ step, runs: most, hits: all }): WindowEntry => [step, most, all.map(number)]);
  const entries = [...hits.keys()].map(hitEntry);
  return encodeEntry(VERSION, [ordinal, sinceUs, start.at(-1)?.hit.timeUs ?? null, entries, links, recents, runs]);
}

function hitEntry({ timeUs, steps, id, reported, extras: { weight, values, witness } }: Hit): HitEntry {
  const entry: HitEntry = [timeUs, steps, weight, id, reported ? 1 : 0, values.map((value) => value ?? null)];
  if (witness !== '') entry[6] = witness;
  return entry;
}

function linkEntry(link: Link, number: (hit: Hit) => number): LinkEntry {
  return stepsOf(link).map((one) => [hitsOf(one).map(number), startOf(one), countOf(one)]);
}

/** Its recent hits are still to be gone through. @throws StateError */
export function decodeKeyed(id: string, key: string, bytes: Uint8Array): Keyed {
  const [ordinal, sinceUs, guard, entries, links, recents, runs] = decodeEntry(id, bytes, VERSION);
  if (
    !isCount(ordinal) ||
    !isNumber(sinceUs) ||
    !(guard === null || isNumber(guard)) ||
    !isListOf(entries, MOST_HITS, isHit) ||
    !isListOf(links, LIMITS.sequenceSteps, isQueue) ||
    !isIndexes(recents) ||
    recents.length > LIMITS.recentHits ||
    !isListOf(runs, LIMITS.sequenceSteps, isWindow)
  )
    throw broken(id);
  const hits = entries.map(hitOfEntry);
  const hitAt = (index: number): Hit => {
    const hit = hits[index];
    if (hit === undefined) throw broken(id);
    return hit;
  };
  /** Each once, and in order of time. */
  const inOrder = (indexes: readonly number[]): Hit[] => {
    const all = indexes.map(hitAt);
    const isOrdered = all.every((hit, i) => i === 0 || all[i - 1]!.timeUs <= hit.timeUs);
    if (!isOrdered || new Set(all).size < all.length) throw broken(id);
    return all;
  };
  const partial: Partial = [
    ...links.map((queue) => queueOfEntries(queue, hitAt)),
    guard === null ? undefined : new Link(undefined, new Hit(guard, 0, '', NO_EXTRAS)),
  ];
  const windows = runs.map(([step, most, all]): Window => ({ step, runs: most, hits: inOrder(all) }));
  const keyed = new Keyed(key, partial, windows, ordinal, sinceUs);
  putRecent(keyed, inOrder(recents), partial);
  keyed.held = heldBy(keyed);
  return keyed;
}

/** The events that it kept whole. */
export function witnessesOf({ partial, oldest, windows }: Keyed): string[] {
  const hits = windows.flatMap((window) => window.hits);
  for (let hit = oldest; hit !== undefined; hit = hit.newer) hits.push(hit);
  for (const queue of partial)
    for (const link of queueOf(queue)) for (const one of stepsOf(link)) hits.push(...hitsOf(one));
  return [...new Set(hits.map(({ extras }) => extras.witness))].filter((witness) => witness !== '');
}

/** What was restored is of the sequence that its name says: as many steps, the same runs, the same values. */
export function isOf(sequence: Sequence<unknown>, { stages }: Automaton, keyed: Keyed): boolean {
  const { partial, oldest, windows } = keyed;
  const runs = windowsOf(sequence);
  const isKnown = ({ steps, extras }: Hit): boolean =>
    steps >> sequence.steps.length === 0 &&
    (extras === NO_EXTRAS || extras.values.length === sequence.kept.length || steps === 0);
  if (partial.length !== stages + 1 || windows.length !== runs.length) return false;
  for (let hit = oldest; hit !== undefined; hit = hit.newer) if (!isKnown(hit)) return false;
  const areWindows = windows.every(
    ({ step, runs: most, hits }, i) => step === runs[i]!.step && most === runs[i]!.runs && hits.every(isKnown),
  );
  return (
    areWindows &&
    partial.slice(0, stages).every((queue, s) =>
      queueOf(queue).every((link) => {
        const links = stepsOf(link);
        return links.length === (sequence.ordered ? s + 1 : 1) && links.every((one) => hitsOf(one).every(isKnown));
      }),
    )
  );
}

function hitOfEntry([timeUs, steps, weight, id, reported, values, witness = '']: HitEntry): Hit {
  const isPlain = weight === 1 && values.length === 0 && witness === '';
  const all = values.map((value) => (value ?? undefined) as FieldValue);
  const hit = new Hit(timeUs, steps, id, isPlain ? NO_EXTRAS : { weight, values: all, witness });
  hit.reported = reported === 1;
  return hit;
}

function queueOfEntries(entries: readonly LinkEntry[], hitAt: (index: number) => Hit): Link | undefined {
  let newest: Link | undefined;
  for (const entry of entries) {
    const link = linkOf(entry, hitAt);
    link.older = newest;
    newest = link;
  }
  return newest;
}

function linkOf(entry: LinkEntry, hitAt: (index: number) => Hit): Link {
  return entry.reduce<Link | undefined>((previous, [indexes, startUs, count]) => {
    const hits = indexes.map(hitAt);
    return new Link(previous, hits.at(-1)!, hits.length === 1 ? undefined : { hits, startUs, count });
  }, undefined)!;
}

const broken = (id: string): StateError => new StateError(id, 'its fields are not what this version writes');

function isHit(value: unknown): value is HitEntry {
  if (!Array.isArray(value) || value.length < 6 || value.length > 7) return false;
  const [timeUs, steps, weight, id, reported, values, witness = ''] = value as unknown[];
  const numbers = isNumber(timeUs) && isCount(steps) && isNumber(weight) && weight >= 1;
  const texts = isText(id) && isText(witness);
  return numbers && texts && (reported === 0 || reported === 1) && isListOf(values, LIMITS.keptValues, isValue);
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
