import type { Sequence, SequenceMatch } from '../sequence.ts';
import type { Link, Links } from './links.ts';

export const NO_MATCHES: readonly SequenceMatch[] = [];

export function matchOf<E>({ kept, steps }: Sequence<E>, links: Links, link: Link): SequenceMatch {
  const { hits } = links;
  const parts = links.stepsOf(link);
  const events = steps.flatMap(({ kind }, index) => (kind === 'event' ? [index] : []));
  const valueAt = (step: number, index: number) => {
    const part = parts[events.indexOf(step)];
    return part === undefined ? undefined : hits.extrasOf(links.hitOf(part)).values[index];
  };
  return {
    steps: parts.map((one) => ({
      events: links.hitsOf(one).map((hit) => hits.idOf(hit)),
      count: links.countOf(one),
      timeUs: hits.timeOf(links.hitOf(one)),
    })),
    witness: hits.extrasOf(links.hitOf(link)).witness,
    values: kept.map(({ step }, index) => valueAt(step, index)),
  };
}
