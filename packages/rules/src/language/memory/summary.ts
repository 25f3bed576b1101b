import { defined } from '@ringfence/base';
import { Fault } from '../../diagnostics/errors.ts';
import type { FieldIndex } from '../../model/catalogue.ts';
import type { Operand } from '../../model/expression.ts';
import { type Bound, COMPARISONS, MEASURES, type Measure, type Summary } from '../../model/rule.ts';
import type { YamlEntry, YamlMap, YamlText } from '../file/yaml.ts';
import { checkBounds, numberOf, readBound } from './bounds.ts';
import { knownEntries, readBy, readDuration, readField, requireNumber, text, weightOf } from './threshold.ts';

export const SUMMARY_KEYS: readonly (Measure | Bound['is'] | 'of' | 'by' | 'within')[] = [
  ...MEASURES,
  'of',
  ...COMPARISONS,
  'by',
  'within',
];
export const SUMMARY_EXAMPLE = '{ count: events, at_most: 3, by: [host.id], within: 1h }';

/**
 * `{ count: events, at_most: 3, by: […], within: 1h }`, `{ average: FIELD, above: 1000, … }`, `{ percentile: 95, of:
 * FIELD, … }`: bounds for a number that is computed from the events of a window once it is over.
 * @throws Fault whose `at` is an offset in the file
 */
export function readSummary<E>(node: YamlMap, fields: FieldIndex<E>): Summary<E> {
  const entries = knownEntries(node, SUMMARY_KEYS, 'summary');
  const [measure, ...furtherMeasures] = MEASURES.filter((candidate) => entries.has(candidate));
  if (measure === undefined || furtherMeasures.length > 0)
    throw new Fault('summary', node.at, `a summary has one of: ${MEASURES.join(', ')}`, `Write ${SUMMARY_EXAMPLE}.`);
  const { percentile, of } = measured(measure, entries, node, fields);
  const within = text(entries.get('within')?.value, node.at, 'within', 'summary');
  return {
    measure,
    of,
    weight: measure === 'count' ? weightOf(fields) : undefined,
    ...defined({ percentile }),
    bounds: boundsOf(measure, entries, node),
    by: readBy(entries.get('by')?.value, fields),
    withinUs: readDuration(within),
  };
}

function measured<E>(
  measure: Measure,
  entries: ReadonlyMap<string, YamlEntry>,
  node: YamlMap,
  fields: FieldIndex<E>,
): { percentile?: number; of: Operand<E> | undefined } {
  const value = text(entries.get(measure)?.value, node.at, measure, 'summary');
  const of = entries.get('of');
  if ((of !== undefined) !== (measure === 'percentile'))
    throw new Fault(
      'summary',
      of?.at ?? node.at,
      "'percentile' and 'of' go together",
      'Write { percentile: 95, of: field, … }.',
    );
  if (measure === 'count') {
    if (value.text === 'events') return { of: undefined };
    throw new Fault(
      'summary',
      value.at,
      `events are counted, not '${value.text}'`,
      'Write count: events, or distinct: field.',
    );
  }
  if (measure === 'percentile') {
    const number = text(of?.value, node.at, 'of', 'summary');
    return { percentile: percentileOf(value), of: numberField(number, fields) };
  }
  return { of: measure === 'distinct' ? readField(value, fields) : numberField(value, fields) };
}

export function percentileOf({ text: written, at }: YamlText): number {
  const number = numberOf(written);
  if (number !== undefined && number >= 0 && number <= 100) return number;
  throw new Fault('summary', at, `expected a number from 0 to 100, found '${written}'`);
}

function numberField<E>(name: YamlText, fields: FieldIndex<E>): Operand<E> {
  return requireNumber(readField(name, fields), name.at);
}

function boundsOf(measure: Measure, entries: ReadonlyMap<string, YamlEntry>, node: YamlMap): Bound[] {
  const bounds = COMPARISONS.flatMap((is): Bound[] => {
    const entry = entries.get(is);
    if (entry === undefined) return [];
    return [{ is, value: readBound(measure, text(entry.value, entry.at, is, 'summary')) }];
  });
  checkBounds(measure, bounds, node.at);
  if (bounds.length > 0) return bounds;
  throw new Fault(
    'summary',
    node.at,
    `a summary needs a bound: ${COMPARISONS.join(', ')}`,
    `Write ${SUMMARY_EXAMPLE}.`,
  );
}
