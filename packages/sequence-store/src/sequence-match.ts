import type { PartialRow } from './handles.ts';
import type { PartialRows } from './partial-rows.ts';
import type { SequenceMatch, SequenceShape } from './shape.ts';

export const NO_MATCHES: readonly SequenceMatch[] = [];

/** Returns, for each kept value, the stage of its step; -1: the step never happens in a match. */
export function stagesOfKept({ kept, steps }: SequenceShape<unknown>): readonly number[] {
  const events = [...steps.keys()].filter((step) => steps[step]!.kind === 'event');
  return kept.map(({ step }) => events.indexOf(step));
}

/** @param keptIn the result of stagesOfKept */
export function matchOf(keptIn: readonly number[], partials: PartialRows, partial: PartialRow): SequenceMatch {
  const { events } = partials;
  const steps = partials.stepsOf(partial);
  return {
    steps: steps.map((step) => ({
      events: partials.eventsOf(step).map((event) => events.idOf(event)),
      count: partials.countOf(step),
      timeUs: events.timeOf(partials.eventOf(step)),
    })),
    witness: events.detailsOf(partials.eventOf(partial)).witness,
    values: keptIn.map((stage, index) => {
      const step = steps[stage];
      return step === undefined ? undefined : events.detailsOf(partials.eventOf(step)).values[index];
    }),
  };
}
