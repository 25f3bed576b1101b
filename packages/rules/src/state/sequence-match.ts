import type { Sequence, SequenceMatch } from '../sequence.ts';
import type { Link, Links } from './links.ts';

export const NO_MATCHES: readonly SequenceMatch[] = [];

/** By what is kept: which of the steps that must happen it is of; -1: of none of them. */
export function stagesOfKept<E>({ kept, steps }: Sequence<E>): readonly number[] {
  const events = [...steps.keys()].filter((step) => steps[step]!.kind === 'event');
  return kept.map(({ step }) => events.indexOf(step));
}

/** @param keptIn see stagesOfKept */
export function matchOf(keptIn: readonly number[], links: Links, link: Link): SequenceMatch {
  const { hits } = links;
  const parts = links.stepsOf(link);
  return {
    steps: parts.map((one) => ({
      events: links.hitsOf(one).map((hit) => hits.idOf(hit)),
      count: links.countOf(one),
      timeUs: hits.timeOf(links.hitOf(one)),
    })),
    witness: hits.extrasOf(links.hitOf(link)).witness,
    values: keptIn.map((stage, index) => {
      const part = parts[stage];
      return part === undefined ? undefined : hits.extrasOf(links.hitOf(part)).values[index];
    }),
  };
}
