import type { CompiledRule } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import { isAlert, isRight, type Verdict } from './score.ts';

/** Techniques of procedures, by the name of the rule that they raise. */
export type Raised = Readonly<Record<string, readonly string[]>>;

/** Returns the rules that procedures raise, apart from those that are held out. */
export function raisedBy(verdicts: readonly Verdict[]): Raised {
  const raised = new Map<string, Set<string>>();
  for (const { procedure, recommended, hunt } of verdicts)
    if (procedure.part !== 'held-out')
      for (const rule of [...recommended, ...hunt]) {
        const techniques = raised.get(rule) ?? new Set();
        for (const technique of [procedure.technique, ...procedure.also]) techniques.add(technique);
        raised.set(rule, techniques);
      }
  return Object.fromEntries([...raised].sort().map(([rule, techniques]) => [rule, [...techniques].sort()]));
}

/** Rules whose techniques no procedure proves. */
export interface Unproven {
  /** No procedure raises them. */
  readonly silent: readonly string[];
  /** Procedures of other techniques alone raise them: the techniques by the rule's name. */
  readonly elsewhere: Raised;
}

/** Returns the rules that no procedure of one of their techniques raises. */
export function unprovenOf(rules: readonly CompiledRule<EventView>[], raised: Raised): Unproven {
  const tagged = rules.filter((rule) => isAlert(rule) && rule.techniques.length > 0);
  const unproven = tagged.filter(
    ({ name, techniques }) => !techniques.some((technique) => isRight(technique, raised[name] ?? [])),
  );
  const silent = unproven.filter(({ name }) => raised[name] === undefined).map(({ name }) => name);
  const elsewhere = unproven.flatMap(({ name }) => (raised[name] === undefined ? [] : [[name, raised[name]] as const]));
  return { silent, elsewhere: Object.fromEntries(elsewhere) };
}

/** Returns a line for each rule, for a terminal. */
export function unprovenLines({ silent, elsewhere }: Unproven): string[] {
  return [
    `No procedure raises ${silent.length} rules:`,
    ...silent.map((name) => `  ${name}`),
    `Procedures of other techniques alone raise ${Object.keys(elsewhere).length} rules:`,
    ...Object.entries(elsewhere).map(([name, techniques]) => `  ${name}: ${techniques.join(', ')}`),
  ];
}
