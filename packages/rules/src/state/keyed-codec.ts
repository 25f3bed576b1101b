import type { FieldValue } from '../catalogue.ts';
import { StateError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { decodeEntry, encodeEntry, isListOf, isNumber } from './codec.ts';
import { Hit, NO_EXTRAS } from './hit.ts';
import { heldBy, Keyed, putRecent } from './keyed.ts';
import { countOf, hitsOf, Link, type Partial, queueOf, startOf, stepsOf } from './partial.ts';
import type { Window } from './windows.ts';

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
    !isNumber(ordinal) ||
    !isNumber(sinceUs) ||
    !(guard === null || isNumber(guard)) ||
    !isListOf(entries, MOST_HITS, isHit)
  )
    throw broken(id);
  const hits = entries.map(hitOfEntry);
  const hitAt = (index: number): Hit => {
    const hit = hits[index];
    if (hit === undefined) throw broken(id);
    return hit;
  };
  if (
    !isListOf(links, LIMITS.sequenceSteps, isQueue) ||
    !isIndexes(recents) ||
    !isListOf(runs, LIMITS.sequenceSteps, isWindow)
  )
    throw broken(id);
  const partial: Partial = [
    ...links.map((queue) => queueOfEntries(queue, hitAt)),
    guard === null ? undefined : new Link(undefined, new Hit(guard, 0, '', NO_EXTRAS)),
  ];
  const windows = runs.map(([step, most, all]): Window => ({ step, runs: most, hits: all.map(hitAt) }));
  const keyed = new Keyed(key, partial, windows, ordinal, sinceUs);
  putRecent(keyed, recents.map(hitAt), partial);
  keyed.held = heldBy(keyed);
  return keyed;
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
  const numbers = isNumber(timeUs) && isNumber(steps) && isNumber(weight) && (reported === 0 || reported === 1);
  return numbers && isText(id) && isText(witness) && isListOf(values, LIMITS.keptValues, isValue);
}

function isValue(value: unknown): value is unknown {
  return (
    value === null ||
    ['string', 'number', 'boolean'].includes(typeof value) ||
    isListOf(value, LIMITS.keptItems, isText)
  );
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isIndex = (value: unknown): value is number => isNumber(value);
const isIndexes = (value: unknown): value is number[] => isListOf(value, MOST_HITS, isIndex);

function isQueue(value: unknown): value is LinkEntry[] {
  return isListOf(value, LIMITS.waiting, isLink);
}

function isLink(value: unknown): value is LinkEntry {
  return isListOf(value, LIMITS.sequenceSteps, isStep) && value.length > 0;
}

function isStep(value: unknown): value is LinkEntry[number] {
  return (
    Array.isArray(value) &&
    value.length === 3 &&
    isIndexes(value[0]) &&
    value[0].length > 0 &&
    isNumber(value[1]) &&
    isNumber(value[2])
  );
}

function isWindow(value: unknown): value is WindowEntry {
  return Array.isArray(value) && value.length === 3 && isNumber(value[0]) && isNumber(value[1]) && isIndexes(value[2]);
}
