import type { CompiledRule } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import type { Raised } from './library.ts';

/** Two rules that match the same event, in alphabetical order. */
export type Overlap = readonly [CompiledRule<EventView>, CompiledRule<EventView>];

/** Returns the rules that match the same event, by their names: one behaviour that raises two alerts. */
export function overlapsOf(matches: readonly Raised[]): ReadonlyMap<string, Overlap> {
  const found = new Map<string, Overlap>();
  for (const raised of Map.groupBy(matches, ({ event }) => event).values()) {
    const rules = [...new Set(raised.map((some) => some.rule))].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const [n, a] of rules.entries())
      for (const b of rules.slice(n + 1)) found.set(`${a.name} / ${b.name}`, [a, b]);
  }
  return found;
}
