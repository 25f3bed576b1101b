import { Fault } from '../../diagnostics/errors.ts';
import type { FieldIndex } from '../../model/catalogue.ts';
import type { AlertLimit, FirstSeen, Summary, Threshold } from '../../model/rule.ts';
import type { RuleItem } from '../file/document.ts';
import { readSuppress, readThrottle } from './alert-limits.ts';
import { readFirstSeen } from './first-seen.ts';
import { readSummary } from './summary.ts';
import { readThreshold } from './threshold.ts';

/** What a rule asks of earlier events, besides its condition. */
export interface AskedMemory<E> {
  readonly threshold: Threshold<E> | undefined;
  readonly summary: Summary<E> | undefined;
  readonly firstSeen: FirstSeen<E> | undefined;
  readonly limits: readonly AlertLimit<E>[];
}

/** @throws Fault whose `at` is an offset in the file */
export function memoryOf<E>(item: RuleItem, isSequence: boolean, fields: FieldIndex<E>): AskedMemory<E> {
  const { threshold, summary, firstSeen, suppress, throttle } = item;
  if (isSequence && threshold !== undefined)
    throw new Fault('threshold', threshold.at, 'a sequence has no threshold', "Write 'with runs=…' behind a step.");
  if (isSequence && summary !== undefined)
    throw new Fault('summary', summary.at, 'a sequence has no summary', 'Make it a rule of one event.');
  if (isSequence && firstSeen !== undefined)
    throw new Fault('first-seen', firstSeen.at, 'a sequence has no first_seen', 'Make it a rule of one event.');
  const [, second] = [threshold, summary, firstSeen].filter((memory) => memory !== undefined);
  if (second !== undefined)
    throw new Fault(
      second === firstSeen ? 'first-seen' : 'summary',
      second.at,
      'a rule has either a threshold, a summary or first_seen',
      'Write two rules; suppress and throttle work with either.',
    );
  return {
    threshold: threshold && readThreshold(threshold, fields),
    summary: summary && readSummary(summary, fields),
    firstSeen: firstSeen && readFirstSeen(firstSeen, fields),
    limits: [
      ...(suppress === undefined ? [] : [readSuppress(suppress, fields)]),
      ...(throttle === undefined ? [] : [readThrottle<E>(throttle)]),
    ],
  };
}
