import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { FieldIndex } from '../../model/catalogue.ts';
import type { Operand } from '../../model/expression.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Threshold } from '../../model/rule.ts';
import type { Yaml, YamlEntry, YamlMap, YamlText } from '../file/yaml.ts';
import { resolveOperand } from '../resolve/operand.ts';
import { durationOf } from '../syntax/duration.ts';
import { parseOperand } from '../syntax/parser.ts';
import { numberOf } from './bounds.ts';

export const THRESHOLD_KEYS = [
  'count',
  'distinct',
  'sum',
  'at_least',
  'regular',
  'every',
  'by',
  'within',
  'window',
] as const;
const KEYS: readonly string[] = THRESHOLD_KEYS;
/** Field of an event that others were merged into. */
const WEIGHT = 'event.count';

/**
 * `{ count: 20, by: [process.entity_id], within: 10s }`,
 * `{ distinct: destination.port, at_least: 20, by: […], within: 10s }`,
 * `{ sum: network.bytes, at_least: 1000000, by: […], within: 1h }` or
 * `{ regular: 8, every: 2s, by: […], within: 1h }`.
 * @throws Fault whose `at` is an offset in the file
 */
export function readThreshold<E>(node: YamlMap, fields: FieldIndex<E>): Threshold<E> {
  const entries = knownEntries(node, KEYS, 'threshold');
  checkForm(entries, node.at);
  const value = (key: string): Yaml | undefined => entries.get(key)?.value;
  const distinct = value('distinct');
  const sum = value('sum');
  const asked = text(value('count') ?? value('regular') ?? value('at_least'), node.at, 'count');
  return {
    atLeast: sum === undefined ? readCount(asked, mostOf(entries)) : readSum(asked),
    distinct: distinct === undefined ? undefined : readField(text(distinct, node.at, 'distinct'), fields),
    weight: entries.has('count') ? weightOf(fields) : undefined,
    ...(sum === undefined ? {} : { sum: readNumber(text(sum, node.at, 'sum'), fields) }),
    by: readBy(value('by'), fields),
    withinUs: readDuration(text(value('within'), node.at, 'within')),
    ...(isTumbling(value('window')) ? { tumbling: true } : {}),
    ...(entries.has('every') ? { everyUs: readDuration(text(value('every'), node.at, 'every')) } : {}),
  };
}

const mostOf = (entries: ReadonlyMap<string, YamlEntry>): number =>
  entries.has('count') ? LIMITS.thresholdEvents : LIMITS.thresholdCount;

/** What is counted, with the keys of each form. */
export const THRESHOLD_FORMS = [
  { key: 'count', needs: [], example: '{ count: 20, within: 10s }' },
  { key: 'distinct', needs: ['at_least'], example: '{ distinct: destination.port, at_least: 20, within: 10s }' },
  { key: 'sum', needs: ['at_least'], example: '{ sum: network.bytes, at_least: 1000000, within: 1h }' },
  { key: 'regular', needs: ['every'], example: '{ regular: 8, every: 2s, within: 1h }' },
] as const;

function checkForm(entries: ReadonlyMap<string, YamlEntry>, at: number): void {
  const forms = THRESHOLD_FORMS.filter(({ key }) => entries.has(key));
  const [form] = forms;
  if (form === undefined || forms.length > 1)
    throw new Fault(
      'threshold',
      at,
      "a threshold has either 'count', 'distinct', 'sum' or 'regular'",
      `Write ${THRESHOLD_FORMS[0].example}.`,
    );
  const wanted: readonly string[] = form.needs;
  for (const candidate of THRESHOLD_FORMS)
    for (const more of candidate.needs) {
      const isWanted = wanted.includes(more);
      if (entries.has(more) === isWanted) continue;
      const { key, example } = isWanted ? form : candidate;
      throw new Fault('threshold', at, `'${key}' and '${more}' go together`, `Write ${example}.`);
    }
  if (form.key === 'regular' && entries.has('window'))
    throw new Fault('threshold', at, "'regular' can't have a 'window'", `Write ${form.example}.`);
}

function isTumbling(value: Yaml | undefined): boolean {
  if (value === undefined) return false;
  const { text: word, at } = text(value, value.at, 'window');
  if (word === 'tumbling' || word === 'sliding') return word === 'tumbling';
  throw new Fault(
    'threshold',
    at,
    `'${word}' is not a window`,
    'Write window: tumbling, or leave it out: windows slide.',
  );
}

/** Returns the entries of a mapping. @throws Fault at an unknown key */
export function knownEntries(node: YamlMap, known: readonly string[], owner: string): Map<string, YamlEntry> {
  for (const { key, at } of node.entries) {
    if (known.includes(key)) continue;
    const hint = didYouMean(key, known, `Keys: ${known.join(', ')}.`);
    throw new Fault('unknown-key', at, `unknown key '${key}' in a ${owner}`, hint);
  }
  return new Map(node.entries.map((entry) => [entry.key, entry]));
}

export function weightOf<E>(fields: FieldIndex<E>): Operand<E> | undefined {
  return fields.find(WEIGHT) === undefined ? undefined : resolveOperand(parseOperand(WEIGHT), fields);
}

export function text(value: Yaml | undefined, at: number, key: string, owner = 'threshold'): YamlText {
  if (value?.kind === 'text') return value;
  const message = value === undefined ? `a ${owner} needs '${key}'` : `'${key}' must be text, found a ${value.kind}`;
  throw new Fault('threshold', value?.at ?? at, message, key === 'within' ? 'Write within: 10s.' : '');
}

export function readCount(value: YamlText, most: number = LIMITS.thresholdCount): number {
  const count = /^\d{1,16}$/.test(value.text) ? Number(value.text) : 0;
  if (count >= 1 && count <= most) return count;
  throw new Fault('threshold', value.at, `expected a number from 1 to ${most}, found '${value.text}'`);
}

function readSum({ text: written, at }: YamlText): number {
  const sum = numberOf(written) ?? 0;
  if (sum > 0 && sum <= LIMITS.thresholdSum) return sum;
  throw new Fault('threshold', at, `expected a number above 0, up to ${LIMITS.thresholdSum}, found '${written}'`);
}

export function readDuration(value: YamlText): number {
  return durationOf(value.text, value.at);
}

export function readBy<E>(value: Yaml | undefined, fields: FieldIndex<E>): Operand<E>[] {
  if (value === undefined) return [];
  const items = value.kind === 'list' ? value.items : [value];
  if (items.length > LIMITS.keys)
    throw new Fault('threshold', value.at, `'by' has ${items.length} fields; ${LIMITS.keys} are allowed`);
  return items.map((item) => readField(text(item, item.at, 'by'), fields));
}

export function readField<E>(value: YamlText, fields: FieldIndex<E>): Operand<E> {
  try {
    return resolveOperand(parseOperand(value.text), fields);
  } catch (error) {
    if (error instanceof Fault) throw error.movedTo(value.place(error.at));
    throw error;
  }
}

function readNumber<E>(value: YamlText, fields: FieldIndex<E>): Operand<E> {
  return requireNumber(readField(value, fields), value.at);
}

/** @throws Fault */
export function requireNumber<E>(operand: Operand<E>, at: number): Operand<E> {
  if (operand.type === 'number') return operand;
  throw new Fault('wrong-type', at, `'${operand.key}' is not a number`, 'Use len(field) for the length of a text.');
}
