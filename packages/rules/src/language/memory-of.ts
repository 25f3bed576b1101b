import type { FieldIndex } from '../catalogue.ts';
import { Fault } from '../errors.ts';
import type { AlertLimit, FirstSeen, Threshold } from '../rule.ts';
import { readSuppress, readThrottle } from './alert-limits.ts';
import type { RuleItem } from './document.ts';
import { readFirstSeen } from './first-seen.ts';
import { readThreshold } from './threshold.ts';

/** What a rule asks beside its condition, of what came before. */
export interface AskedMemory<E> {
  readonly threshold: Threshold<E> | undefined;
  readonly firstSeen: FirstSeen<E> | undefined;
  readonly limits: readonly AlertLimit<E>[];
}

/** @throws Fault whose `at` is an offset in the file */
export function memoryOf<E>(item: RuleItem, isSequence: boolean, fields: FieldIndex<E>): AskedMemory<E> {
  const { threshold, firstSeen, suppress, throttle } = item;
  if (isSequence && threshold !== undefined)
    throw new Fault('threshold', threshold.at, 'a sequence has no threshold', "Write 'with runs=…' behind a step.");
  if (isSequence && firstSeen !== undefined)
    throw new Fault('first-seen', firstSeen.at, 'a sequence has no first_seen', 'Make it a rule of one event.');
  if (threshold !== undefined && firstSeen !== undefined)
    throw new Fault(
      'first-seen',
      firstSeen.at,
      'a rule has either a threshold or first_seen',
      'Make two rules of it; suppress and throttle go with either.',
    );
  return {
    threshold: threshold && readThreshold(threshold, fields),
    firstSeen: firstSeen && readFirstSeen(firstSeen, fields),
    limits: [
      ...(suppress === undefined ? [] : [readSuppress(suppress, fields)]),
      ...(throttle === undefined ? [] : [readThrottle<E>(throttle)]),
    ],
  };
}
