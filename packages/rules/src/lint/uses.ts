import { Fault } from '../diagnostics/errors.ts';
import type { Item, ListItem, MacroItem } from '../language/file/document.ts';
import { isSequence, parseSequence } from '../language/sequence/sequence.ts';
import { parseCondition } from '../language/syntax/parser.ts';
import type { Syntax } from '../language/syntax/syntax.ts';

/**
 * Returns the macros and lists that no rule needs, directly or through another one. `rules`: the items that count as
 * needed.
 */
export function unusedItems(items: readonly Item[]): (MacroItem | ListItem)[] {
  const macros = new Map<string, MacroItem>();
  const lists = new Map<string, ListItem>();
  for (const item of items) {
    if (item.kind === 'macro') macros.set(item.name, item);
    else if (item.kind === 'list') lists.set(item.name, item);
  }
  const used = new Set<Item>();
  const open: Item[] = items.filter(({ kind }) => kind === 'rule');
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (used.has(item)) continue;
    used.add(item);
    for (const name of namesIn(item)) {
      const found = item.kind === 'list' ? [lists.get(name)] : [macros.get(name), lists.get(name)];
      open.push(...found.filter((candidate) => candidate !== undefined));
    }
  }
  return [...macros.values(), ...lists.values()].filter((item) => !used.has(item));
}

/** Returns the words of an item that may be names of macros or lists. */
function namesIn(item: Item): Set<string> {
  if (item.kind === 'list') return new Set(item.items.filter(({ quoted }) => !quoted).map(({ text }) => text));
  const names = new Set<string>();
  for (const syntax of parsed(item.condition.text)) collect(syntax, names);
  return names;
}

/** Returns the steps of a sequence; none: it has errors, which are reported elsewhere. */
function parsed(condition: string): Syntax[] {
  try {
    if (isSequence(condition)) return parseSequence(condition).steps.map((step) => step.condition);
    return [parseCondition(condition)];
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

function collect(syntax: Syntax, names: Set<string>): void {
  if (syntax.kind === 'not') collect(syntax.item, names);
  else if (syntax.kind === 'name') names.add(syntax.operand.name);
  else if (syntax.kind === 'test') {
    for (const { quoted, text } of syntax.values) if (!quoted) names.add(text);
  } else for (const item of syntax.items) collect(item, names);
}
