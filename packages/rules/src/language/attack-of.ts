import { tacticOf, techniqueOf } from '../attack/tactics.ts';
import { Fault } from '../diagnostics/errors.ts';
import type { RuleItem } from './file/document.ts';

/** Returns the tactics and techniques of the tags and `techniques`. @throws Fault at a technique that does not exist */
export function attackOf(item: RuleItem): { tactics: string[]; techniques: string[] } {
  const techniques = new Set<string>();
  for (const { text, at } of item.techniques) {
    const technique = techniqueOf(text);
    if (technique === undefined)
      throw new Fault(
        'value',
        at,
        `'${text}' is not an ATT&CK technique`,
        'Techniques are written T1059 or T1059.004.',
      );
    techniques.add(technique);
  }
  const tactics = new Set<string>();
  for (const { text } of item.tags) {
    const tactic = tacticOf(text);
    const technique = techniqueOf(text);
    if (tactic !== undefined) tactics.add(tactic);
    if (technique !== undefined) techniques.add(technique);
  }
  return { tactics: [...tactics], techniques: [...techniques] };
}
