import { compileDetectorRules, type Rules } from '@ringfence/detector';
import {
  type CompiledRule,
  type Diagnostic,
  isSameCondition,
  madeFieldOf,
  type OutputPart,
  type RuleSource,
  writeRules,
} from '@ringfence/rules';

export interface Converted {
  /** A native rule file. */
  readonly text: string;
  readonly rules: readonly string[];
  /** Number of rules with `enabled: false`. */
  readonly switchedOff: number;
  /** Diagnostics of the sources, and of rules without a native form. Rules with errors are omitted. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Converts rules of any language to native rules. Throws if the result differs in meaning, which would be a bug. */
export function convertRules(sources: readonly RuleSource[]): Converted {
  const set = compileDetectorRules(sources, 'hunt');
  const all = inOrder(set, sources);
  const unconvertible = all.flatMap((rule) => withoutNativeForm(rule) ?? []);
  const wanted = all.filter((rule) => withoutNativeForm(rule) === undefined);
  const text = writeRules(wanted);
  const converted = [{ name: 'converted', text }];
  const again = compileDetectorRules(converted, 'hunt');
  const broken = again.diagnostics.find(({ severity }) => severity === 'error');
  const read = inOrder(again, converted);
  if (broken !== undefined || read.length !== wanted.length)
    throw new Error(`line ${broken?.line} of the converted rules can't be read: ${broken?.message}`);
  const changed = wanted.find((rule, i) => !isSame(rule, read[i]!));
  if (changed !== undefined) throw new Error(`the converted rule '${changed.name}' has another condition or output`);
  if (writeRules(read) !== text) throw new Error('the converted rules change when they are written again');
  return {
    text,
    rules: wanted.map(({ name }) => name),
    switchedOff: set.switchedOff.length,
    diagnostics: [...set.diagnostics, ...unconvertible],
  };
}

/** Returns an error if the rule has no native form. */
function withoutNativeForm<E>(rule: CompiledRule<E>): Diagnostic | undefined {
  const field = madeFieldOf(rule);
  if (field === undefined) return undefined;
  const message = `native rules have no field for '${field}' of this correlation: each of its rules maps it to a different field`;
  const hint = 'Keep the rule in its language: rules of all languages can be used together.';
  const { file, line, name } = rule;
  return { file, line, column: 1, severity: 'error', code: 'no-native-form', message, hint, item: name };
}

/** Returns all rules in the order of the sources, including those that are switched off. */
function inOrder({ rules, switchedOff }: Rules, sources: readonly RuleSource[]): Rules['rules'] {
  const order = new Map(sources.map(({ name }, index) => [name, index]));
  const sorted = [...rules, ...switchedOff];
  return sorted.sort((a, b) => order.get(a.file)! - order.get(b.file)! || a.line - b.line);
}

function isSame<E>(a: CompiledRule<E>, b: CompiledRule<E>): boolean {
  const [parts, expected] = [a, b].map(({ sequence, expression }) => sequence?.steps ?? [{ expression }]);
  return (
    parts!.length === expected!.length &&
    parts!.every(({ expression }, i) => isSameCondition(expression, expected![i]!.expression)) &&
    outputOf(a) === outputOf(b)
  );
}

/** Returns the output with the names of its fields. */
const outputOf = <E>({ output }: CompiledRule<E>): string =>
  output.map((part) => (typeof part === 'string' ? part : `\0${keyOf(part)}\0`)).join('');

function keyOf<E>(part: Exclude<OutputPart<E>, string>): string {
  if ('seconds' in part) return part.seconds.key;
  return 'kept' in part ? `${part.kept}.${part.operand.key}` : part.key;
}
