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
  /** a native rule file */
  readonly text: string;
  readonly rules: readonly string[];
  /** how many of them say `enabled: false` */
  readonly switchedOff: number;
  /** what was found in the sources, and which of their rules no native one can say; rules with errors are left out */
  readonly diagnostics: readonly Diagnostic[];
}

/** Rules of any language as native ones. Throws when what was written doesn't mean the same: that would be a bug. */
export function convertRules(sources: readonly RuleSource[]): Converted {
  const set = compileDetectorRules(sources, 'hunt');
  const all = inOrder(set, sources);
  const unsaid = all.flatMap((rule) => withoutNativeForm(rule) ?? []);
  const wanted = all.filter((rule) => withoutNativeForm(rule) === undefined);
  const text = writeRules(wanted);
  const own = [{ name: 'converted', text }];
  const again = compileDetectorRules(own, 'hunt');
  const broken = again.diagnostics.find(({ severity }) => severity === 'error');
  const read = inOrder(again, own);
  if (broken !== undefined || read.length !== wanted.length)
    throw new Error(`line ${broken?.line} of the converted rules can't be read: ${broken?.message}`);
  const other = wanted.find((rule, i) => !isSame(rule, read[i]!));
  if (other !== undefined) throw new Error(`the converted rule '${other.name}' has another condition or output`);
  if (writeRules(read) !== text) throw new Error('the converted rules are read as others');
  return {
    text,
    rules: wanted.map(({ name }) => name),
    switchedOff: set.switchedOff.length,
    diagnostics: [...set.diagnostics, ...unsaid],
  };
}

/** Undefined: it has one. */
function withoutNativeForm<E>(rule: CompiledRule<E>): Diagnostic | undefined {
  const field = madeFieldOf(rule);
  if (field === undefined) return undefined;
  const message = `native rules have no field for the '${field}' of this correlation, which each of its rules reads elsewhere`;
  const hint = 'Leave it as it is: rules of every language may stand beside each other.';
  const { file, line, name } = rule;
  return { file, line, column: 1, severity: 'error', code: 'no-native-form', message, hint, item: name };
}

/** All rules where they stand, those among them that are switched off. */
function inOrder({ rules, switchedOff }: Rules, sources: readonly RuleSource[]): Rules['rules'] {
  const order = new Map(sources.map(({ name }, index) => [name, index]));
  const sorted = [...rules, ...switchedOff];
  return sorted.sort((a, b) => order.get(a.file)! - order.get(b.file)! || a.line - b.line);
}

function isSame<E>(a: CompiledRule<E>, b: CompiledRule<E>): boolean {
  const [parts, others] = [a, b].map(({ sequence, expression }) => sequence?.steps ?? [{ expression }]);
  return (
    parts!.length === others!.length &&
    parts!.every(({ expression }, i) => isSameCondition(expression, others![i]!.expression)) &&
    saysOf(a) === saysOf(b)
  );
}

/** Output with the names of its fields. */
const saysOf = <E>({ output }: CompiledRule<E>): string =>
  output.map((part) => (typeof part === 'string' ? part : `\0${keyOf(part)}\0`)).join('');

function keyOf<E>(part: Exclude<OutputPart<E>, string>): string {
  if ('seconds' in part) return part.seconds.key;
  return 'kept' in part ? `${part.kept}.${part.operand.key}` : part.key;
}
