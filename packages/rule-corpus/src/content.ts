import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOME } from '@ringfence/config';
import { catalogue, eventKinds } from '@ringfence/fields';
import { compileRules, RuleMemory, type RuleSet, type RuleSource, render } from '@ringfence/rules';
import { type EventView, EventWitness } from '@ringfence/wire';

/** Folder of the built-in rules. */
export const RULES: string = join(HOME, 'rules');

/** Files of the built-in rules, by name. */
export const sources: readonly RuleSource[] = readdirSync(RULES)
  .filter((name) => /(?<!\.test)\.yaml$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(RULES, name), 'utf8') }));

let compiled: RuleSet<EventView> | undefined;
let memory = new RuleMemory({ changelog: false });

/** Returns the built-in rules with empty memory. Throws Error if one has a diagnostic. */
export function builtIn(): RuleSet<EventView> {
  compiled ??= compileBuiltIn();
  memory = new RuleMemory({ changelog: false });
  return compiled;
}

function compileBuiltIn(): RuleSet<EventView> {
  const set = compileRules({
    sources,
    catalogue,
    kinds: eventKinds,
    memory: { of: () => memory, isFirst: (...asked) => memory.isFirst(...asked), witness: new EventWitness() },
  });
  const [first] = set.diagnostics;
  if (first === undefined) return set;
  throw new Error(render(first, sources.find(({ name }) => name === first.file)?.text ?? ''));
}
