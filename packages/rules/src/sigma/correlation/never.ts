import { Fault } from '../../diagnostics/errors.ts';
import type { YamlText } from '../../language/file/yaml.ts';
import { neverSoMany, withFields } from '../../language/never.ts';
import type { Context } from '../context.ts';
import { type Built, conditionOf, type Found } from '../rule.ts';
import type { Correlation } from './document.ts';
import { memberOperand } from './field.ts';

/** Returns the reasons why a correlation can never match or does not group as written, each at its place. */
export function neverCorrelates<E>(
  title: string,
  correlation: Correlation,
  members: readonly Built<E>[],
  found: Found<E>,
  context: Context<E>,
): Fault[] {
  const never = (at: number, why: string): Fault => new Fault('never', at, `rule '${title}' can never match: ${why}`);
  const { rules, wanted, groupBy } = correlation;
  const able = new Set(members.filter((member) => context.kindsOf(conditionOf(member)).length > 0));
  const unable = members.findIndex((member) => !able.has(member));
  const needed = 'measure' in wanted ? 1 : wanted.needed;
  if (found.sequence === undefined && unable === -1 && able.size < needed)
    return [never(rules[0]!.at, `it needs ${needed} rules, but only ${able.size} can match`)];
  if (unable !== -1 && (found.sequence !== undefined || able.size < needed))
    return [never(rules[unable]!.at, `no event fits '${members[unable]!.document.title}'`)];
  const lacking = (name: YamlText): Built<E>[] => members.filter((member) => lacks(member, name, correlation, context));
  if (found.sequence !== undefined)
    return groupBy.flatMap((name) => {
      const [first] = lacking(name);
      return first === undefined ? [] : [never(name.at, `no event of '${first.document.title}' has '${name.text}'`)];
    });
  const isOnNone = (name: YamlText): boolean => lacking(name).length === members.length;
  if ('field' in wanted) {
    const { field } = wanted;
    if (isOnNone(field)) return [never(field.at, `no event of its rules has '${field.text}'`)];
    const many = neverSoMany(title, found.threshold ?? found.summary, field.at);
    if (many !== undefined) return [many];
  }
  return groupBy.filter(isOnNone).map(({ text, at }) => {
    return new Fault('group-by', at, `rule '${title}' does not group events: no event of its rules has '${text}'`);
  });
}

/** Whether no event that a rule matches has a field. */
function lacks<E>(member: Built<E>, name: YamlText, { aliases }: Correlation, context: Context<E>): boolean {
  const operand = memberOperand(name, aliases.get(name.text), member, context);
  return context.kindsOf(withFields(conditionOf(member), [operand])).length === 0;
}
