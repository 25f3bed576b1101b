import type { FieldValue } from '../catalogue.ts';
import { StateError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { decodeEntry, encodeEntry, isListOf, isNumber } from './codec.ts';
import type { Hit } from './hit.ts';
import { heldBy, type Keyed } from './keyed.ts';
import type { Link, Partial, Window } from './partial.ts';

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
export function encodeKeyed({ partial, recent, windows, ordinal, sinceUs }: Keyed): Uint8Array {
  const hits = new Map<Hit, number>();
  const number = (hit: Hit): number => {
    const known = hits.get(hit) ?? hits.size;
    hits.set(hit, known);
    return known;
  };
  const { waiting, guardUs } = recent[0]?.before ?? partial;
  const links = waiting.map((queue) => queue.map((link) => linkEntry(link, number)));
  const recents = recent.map(({ hit }) => number(hit));
  const runs = windows.map(({ step, runs: most, hits: all }): WindowEntry => [step, most, all.map(number)]);
  const entries = [...hits.keys()].map(hitEntry);
  const guard = Number.isFinite(guardUs) ? guardUs : null;
  return encodeEntry(VERSION, [ordinal, sinceUs, guard, entries, links, recents, runs]);
}

function hitEntry({ timeUs, steps, weight, id, reported, values, witness }: Hit): HitEntry {
  const entry: HitEntry = [timeUs, steps, weight, id, reported ? 1 : 0, values.map((value) => value ?? null)];
  if (witness !== '') entry[6] = witness;
  return entry;
}

function linkEntry(link: Link, number: (hit: Hit) => number): LinkEntry {
  const entries: LinkEntry = [];
  for (let one: Link | undefined = link; one !== undefined; one = one.previous)
    entries.push([one.hits.map(number), one.startUs, one.count]);
  return entries.reverse();
}

/** Its recent hits are still to be gone through. @throws StateError */
export function decodeKeyed(id: string, bytes: Uint8Array): Keyed {
  const [ordinal, sinceUs, guard, entries, links, recents, runs] = decodeEntry(id, bytes, VERSION);
  if (
    !isNumber(ordinal) ||
    !isNumber(sinceUs) ||
    !(guard === null || isNumber(guard)) ||
    !isListOf(entries, MOST_HITS, isHit)
  )
    throw broken(id);
  const hits = entries.map(
    ([timeUs, steps, weight, hitId, reported, values, witness = '']): Hit => ({
      timeUs,
      steps,
      weight,
      id: hitId,
      reported: reported === 1,
      values: values.map((value) => (value ?? undefined) as FieldValue),
      witness,
    }),
  );
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
  const partial: Partial = {
    waiting: links.map((queue) => queue.map((entry) => linkOf(entry, hitAt))),
    guardUs: guard ?? Number.NEGATIVE_INFINITY,
  };
  const windows = runs.map(([step, most, all]): Window => ({ step, runs: most, hits: all.map(hitAt) }));
  const recent = recents.map((index) => ({ hit: hitAt(index), before: partial }));
  const keyed: Keyed = { partial, recent, windows, ordinal, sinceUs, held: 0 };
  keyed.held = heldBy(keyed);
  return keyed;
}

function linkOf(entry: LinkEntry, hitAt: (index: number) => Hit): Link {
  return entry.reduce<Link | undefined>(
    (previous, [hits, startUs, count]) => ({ previous, hits: hits.map(hitAt), startUs, count }),
    undefined,
  )!;
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
