import { Fault } from '../../diagnostics/errors.ts';
import type { FieldIndex } from '../../model/catalogue.ts';
import type { FirstSeen } from '../../model/rule.ts';
import type { YamlMap, YamlText } from '../file/yaml.ts';
import { durationOf } from '../syntax/duration.ts';
import { knownEntries, readBy, text } from './threshold.ts';

export const FIRST_SEEN_KEYS = ['by', 'within', 'learn'] as const;
export const FIRST_SEEN_EXAMPLE = '{ by: [process.executable, destination.ip], within: 14d }';

const LONGEST_DAYS = 90;
const DAY_US = 86_400_000_000;

/**
 * `first_seen: { by: [process.executable, destination.ip], within: 14d, learn: 1d }`: combinations that are new on the
 * host.
 * @throws Fault
 */
export function readFirstSeen<E>(node: YamlMap, fields: FieldIndex<E>): FirstSeen<E> {
  const entries = knownEntries(node, FIRST_SEEN_KEYS, 'first_seen');
  const by = readBy(entries.get('by')?.value, fields);
  if (by.length === 0)
    throw new Fault(
      'first-seen',
      entries.get('by')?.at ?? node.at,
      "first_seen needs 'by': the fields whose combination is new",
      `Write first_seen: ${FIRST_SEEN_EXAMPLE}.`,
    );
  const within = text(entries.get('within')?.value, node.at, 'within', 'first_seen');
  const withinUs = durationOf(within.text, within.at, LONGEST_DAYS);
  const learn = entries.get('learn')?.value;
  const learnUs =
    learn === undefined ? Math.min(DAY_US, withinUs) : readLearn(text(learn, learn.at, 'learn', 'first_seen'));
  if (learnUs > withinUs)
    throw new Fault(
      'first-seen',
      learn?.at ?? node.at,
      "'learn' is longer than 'within': the first combinations would be forgotten before learning ends",
      `Write learn: ${within.text}, or less.`,
    );
  return { by, withinUs, learnUs };
}

const readLearn = ({ text: learn, at }: YamlText): number => (learn === '0s' ? 0 : durationOf(learn, at, LONGEST_DAYS));
