import { Document, isScalar, Scalar, visit } from 'yaml';
import type { Expression } from '../../model/expression.ts';
import type { AlertLimit, CompiledRule, FirstSeen, OutputPart, Summary, Threshold } from '../../model/rule.ts';
import { eventNumber } from '../../model/sequence.ts';
import { writeCondition } from './write.ts';
import { writeSequence } from './write-sequence.ts';

/** Maximum width of a line of a written file, where it can be broken. */
const WIDTH = 120;
/** Texts longer than this are folded. */
const FOLDED = 90;
const UNITS: readonly (readonly [unit: string, us: number])[] = [
  ['d', 86_400_000_000],
  ['h', 3_600_000_000],
  ['m', 60_000_000],
  ['s', 1_000_000],
  ['ms', 1_000],
  ['us', 1],
];

/**
 * Returns rules as a file of the native language, with the macros they use in front. Lists are expanded, and so are
 * macros that share a name with another one: macros of Falco files are separate from native ones.
 */
export function writeRules<E>(asked: readonly CompiledRule<E>[]): string {
  const rules = asked.map(macrosApart<E>());
  const macros = new Map<string, Expression<E>>();
  for (const { expression, sequence } of rules)
    for (const part of sequence?.steps ?? [{ expression }]) collectMacros(part.expression, macros);
  const items = [
    ...[...macros].map(([macro, item]) => ({ macro, condition: writeCondition(item) })),
    ...rules.map(itemOf),
  ];
  return items.map((item) => yamlText([item])).join('\n');
}

/** Lets each name stand for one macro, the first; others of the name are expanded. */
function macrosApart<E>(): (rule: CompiledRule<E>) => CompiledRule<E> {
  const first = new Map<string, Expression<E>>();
  // A macro is one object wherever it is used and is visited once: nested macros have many more uses than macros.
  const done = new WeakMap<Expression<E>, Expression<E>>();
  const apart = (expression: Expression<E>): Expression<E> => {
    const result = done.get(expression) ?? madeApart(expression);
    done.set(expression, result);
    return result;
  };
  const madeApart = (expression: Expression<E>): Expression<E> => {
    if ('items' in expression) return { ...expression, items: expression.items.map(apart) };
    if (!('item' in expression)) return expression;
    if (expression.kind === 'not' || expression.local) return { ...expression, item: apart(expression.item) };
    const known = first.get(expression.name) ?? expression.item;
    first.set(expression.name, known);
    return known === expression.item ? { ...expression, item: apart(expression.item) } : apart(expression.item);
  };
  return (rule) => ({
    ...rule,
    expression: apart(rule.expression),
    sequence: rule.sequence && {
      ...rule.sequence,
      steps: rule.sequence.steps.map((step) => ({ ...step, expression: apart(step.expression) })),
    },
  });
}

/** Collects each macro before the macros that use it. */
function collectMacros<E>(expression: Expression<E>, macros: Map<string, Expression<E>>): void {
  if (expression.kind === 'named') {
    if (macros.has(expression.name) && !expression.local) return;
    collectMacros(expression.item, macros);
    if (!expression.local) macros.set(expression.name, expression.item);
  } else if (expression.kind === 'not') collectMacros(expression.item, macros);
  else if (expression.kind === 'and' || expression.kind === 'or')
    for (const item of expression.items) collectMacros(item, macros);
}

function itemOf<E>(rule: CompiledRule<E>): object {
  const { name, description, sequence, threshold, summary, firstSeen, priority, action, profile, tags, techniques } =
    rule;
  const tagged = new Set(tags.map((tag) => tag.toUpperCase().replace(/^(?:MITRE|ATTACK)[._]/, '')));
  const more = techniques.filter((technique) => !tagged.has(technique));
  return {
    rule: name,
    desc: description,
    condition: sequence === undefined ? writeCondition(rule.expression) : writeSequence(sequence, writeDuration),
    ...(threshold === undefined ? {} : { threshold: writeThreshold(threshold) }),
    ...(summary === undefined ? {} : { summary: writeSummary(summary) }),
    ...(firstSeen === undefined ? {} : { first_seen: writeFirstSeen(firstSeen) }),
    ...Object.fromEntries((rule.limits ?? []).map((limit) => [limit.limit, writeLimit(limit)])),
    output: writeOutput(rule),
    priority,
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
    ...(more.length === 0 ? {} : { techniques: more }),
    ...(action === 'alert' ? {} : { action }),
    ...(profile === 'recommended' ? {} : { profile }),
    ...(rule.enabled === false ? { enabled: false } : {}),
  };
}

function writeLimit<E>({ limit, atLeast, by, withinUs }: AlertLimit<E>): object {
  if (limit === 'throttle') return { alerts: atLeast, per: writeDuration(withinUs) };
  return { ...(by.length === 0 ? {} : { by: by.map(({ key }) => key) }), for: writeDuration(withinUs) };
}

function writeThreshold<E>({ atLeast, distinct, sum, by, withinUs, tumbling, everyUs }: Threshold<E>): object {
  const counted =
    distinct !== undefined
      ? { distinct: distinct.key, at_least: atLeast }
      : sum !== undefined
        ? { sum: sum.key, at_least: atLeast }
        : everyUs !== undefined
          ? { regular: atLeast, every: writeDuration(everyUs) }
          : { count: atLeast };
  return {
    ...counted,
    ...(by.length === 0 ? {} : { by: by.map(({ key }) => key) }),
    within: writeDuration(withinUs),
    ...(tumbling === true ? { window: 'tumbling' } : {}),
  };
}

function writeSummary<E>({ measure, of, percentile, bounds, by, withinUs }: Summary<E>): object {
  const measured =
    measure === 'percentile' ? { percentile, of: of?.key } : { [measure]: of === undefined ? 'events' : of.key };
  return {
    ...measured,
    ...Object.fromEntries(bounds.map(({ is, value }) => [is, value])),
    ...(by.length === 0 ? {} : { by: by.map(({ key }) => key) }),
    within: writeDuration(withinUs),
  };
}

function writeFirstSeen<E>({ by, withinUs, learnUs }: FirstSeen<E>): object {
  const learn = learnUs === 0 ? '0s' : writeDuration(learnUs);
  return { by: by.map(({ key }) => key), within: writeDuration(withinUs), learn };
}

function writeDuration(us: number): string {
  const [unit, size] = UNITS.find(([, size]) => us % size === 0) ?? ['us', 1];
  return `${us / size}${unit}`;
}

function writeOutput<E>(rule: CompiledRule<E>): string {
  return rule.output.reduce<string>((written, part, index) => {
    if (typeof part !== 'string') return written + writeField(rule, part);
    const text = part.replaceAll('%', '%%');
    // Separates the text from the field before it if it could be read as a part of the field.
    const open = typeof (rule.output[index - 1] ?? '') !== 'string' && !/[\])]$/.test(written);
    return written + (open && /^(?:\w|\.\w|\[)/.test(text) ? ` ${text}` : text);
  }, '');
}

function writeField<E>({ sequence }: CompiledRule<E>, part: Exclude<OutputPart<E>, string>): string {
  if ('seconds' in part) return `%duration(${part.seconds.key})`;
  if (!('kept' in part) || sequence === undefined) return `%${'kept' in part ? part.operand.key : part.key}`;
  return `%${eventNumber(sequence, sequence.kept[part.kept]!.step)}.${part.operand.key}`;
}

function yamlText(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Pair(_, { key, value: node }) {
      if (!isScalar(node) || typeof node.value !== 'string') return;
      if (isScalar(key) && key.value === 'output') node.type = Scalar.QUOTE_DOUBLE;
      else if (node.value.length > FOLDED) node.type = Scalar.BLOCK_FOLDED;
    },
    Seq(key, node) {
      if (key === 'value' || key !== null) node.flow = key === 'value';
    },
    Map(key, node) {
      if (key === 'value') node.flow = true;
    },
  });
  return document.toString({ lineWidth: WIDTH, flowCollectionPadding: true });
}
