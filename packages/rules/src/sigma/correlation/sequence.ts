import { Fault } from '../../diagnostics/errors.ts';
import type { Expression } from '../../model/expression.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Kept, Sequence, SequenceStep } from '../../model/sequence.ts';
import type { Context } from '../context.ts';
import { type Built, conditionOf, type Found } from '../rule.ts';
import type { Correlation, WantedRules } from './document.ts';
import { unifiedOperand } from './field.ts';

/** Returns the sequence of rules that must all match within a time, in their order or in any. @throws Fault */
export function sequenceOf<E>(
  correlation: Correlation,
  { ordered }: WantedRules,
  members: readonly Built<E>[],
  context: Context<E>,
  warn: (fault: Fault) => void,
): Found<E> {
  const { at, type, withinUs } = correlation;
  if (members.length < 2 || members.length > LIMITS.sequenceSteps)
    throw new Fault('value', at, `'${type}' takes 2 to ${LIMITS.sequenceSteps} rules, this has ${members.length}`);
  const steps = members.map((member, i): SequenceStep<E> => {
    const place = correlation.rules[i]!.at;
    const runs = runsOf(member, place);
    if (runs > 1 && member.threshold!.withinUs < withinUs)
      warn(
        new Fault(
          'timespan',
          place,
          `the ${runs} events of '${member.document.title}' may spread over the timespan of this correlation`,
        ),
      );
    const by = correlation.groupBy.map((name) =>
      unifiedOperand(name, correlation.aliases.get(name.text), [member], context),
    );
    return { kind: 'event', expression: conditionOf(member), by, runs, compares: [] };
  });
  const kept: Kept<E>[] = [];
  const sequence: Sequence<E> = {
    ordered,
    maxspanUs: withinUs,
    steps,
    kept,
    id: context.operand('event.id'),
    weight: context.operand('event.count'),
  };
  const anyMember: Expression<E> = { kind: 'or', items: steps.map(({ expression }) => expression) };
  return {
    source: members[0]!.source,
    events: { kind: 'constant', value: true },
    detection: anyMember,
    condition: members.map(({ document }) => document.title).join(ordered ? ', then ' : ' and '),
    sequence,
    members,
    warned: members.some(({ warned }) => warned),
  };
}

/** Returns how often a rule must match: once, or as often as its count of events requires. @throws Fault */
function runsOf<E>({ threshold, summary, sequence, document }: Built<E>, at: number): number {
  if (sequence === undefined && threshold === undefined && summary === undefined) return 1;
  if (threshold !== undefined && threshold.distinct === undefined && threshold.sum === undefined) {
    if (threshold.atLeast <= LIMITS.thresholdCount) return threshold.atLeast;
    const many = `'${document.title}' counts ${threshold.atLeast} events: as a part of a correlation it may count at most ${LIMITS.thresholdCount}`;
    throw new Fault('unsupported', at, many, 'Alert on the count alone.');
  }
  const hint = 'Refer to rules, or to correlations of the type event_count with a lower bound.';
  throw new Fault(
    'unsupported',
    at,
    `'${document.title}' is not a count of events: it can't be a part of this correlation`,
    hint,
  );
}
