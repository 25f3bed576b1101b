import { tacticOf, techniqueOf } from '../attack.ts';
import { type FieldCatalogue, FieldIndex } from '../catalogue.ts';
import type { Prepared } from '../compile/matcher.ts';
import { knownOnKind, type Nodes } from '../compile/nodes.ts';
import type { Diagnostic, Severity } from '../diagnostics.ts';
import { Fault } from '../errors.ts';
import type { Expression, Operand } from '../expression.ts';
import { defaultOutput, parseOutput } from '../output.ts';
import { FileReport } from '../report.ts';
import type { CompiledRule, OutputPart, Threshold } from '../rule.ts';
import type { RuleSource } from '../rule-set.ts';
import { type Item, type ListItem, type MacroItem, type RuleItem, readItems } from './document.ts';
import { Names } from './names.ts';
import { parseCondition } from './parser.ts';
import { Resolver } from './resolve.ts';
import { readThreshold } from './threshold.ts';
import { readYaml, type YamlText } from './yaml.ts';

/** Reads rule files: text → rules with simplified conditions, and what there is to say about them. */
export function loadRules<E>(
  sources: readonly RuleSource[],
  catalogue: FieldCatalogue<E>,
  kinds: readonly string[],
  nodes: Nodes<E>,
): { rules: Prepared<E>[]; diagnostics: Diagnostic[] } {
  const loader = new Loader(new FieldIndex(catalogue), kinds, nodes);
  const files = sources.map((source) => new SourceFile(source));
  for (const file of files) loader.define(file);
  const rules = files.flatMap((file) => loader.load(file));
  return { rules, diagnostics: files.flatMap((file) => file.diagnostics()) };
}

/** One source while it is being read: its items and what was found in it. */
class SourceFile {
  readonly name: string;
  readonly items: readonly Item[];
  readonly position: (at: number) => { readonly line: number; readonly column: number };
  readonly #report: FileReport;

  constructor(source: RuleSource) {
    this.name = source.name;
    const yaml = readYaml(source.text);
    this.position = yaml.position;
    this.#report = new FileReport(source.name, yaml.position);
    for (const fault of yaml.faults) this.report('error', fault, '');
    this.items = readItems(yaml.root, (fault, item) => this.report('error', fault, item));
  }

  /** `at` of the fault is an offset in the file */
  report(severity: Severity, fault: Fault, item: string): void {
    this.#report.report(severity, fault, item);
  }

  diagnostics(): Diagnostic[] {
    return this.#report.diagnostics();
  }
}

class Loader<E> {
  readonly #fields: FieldIndex<E>;
  readonly #kinds: readonly string[];
  readonly #nodes: Nodes<E>;
  readonly #names = new Names<E>();
  readonly #resolver: Resolver<E>;
  readonly #ruleNames = new Set<string>();

  constructor(fields: FieldIndex<E>, kinds: readonly string[], nodes: Nodes<E>) {
    this.#fields = fields;
    this.#kinds = kinds;
    this.#nodes = nodes;
    this.#resolver = new Resolver(fields, this.#names);
  }

  /** Makes the macros and lists of a file known. */
  define(file: SourceFile): void {
    for (const item of file.items) {
      if (item.kind === 'rule') continue;
      const taken = item.kind === 'macro' ? this.#names.hasMacro(item.name) : this.#names.hasList(item.name);
      if (taken)
        file.report(
          'error',
          new Fault(
            'duplicate',
            item.at,
            `there is already a ${item.kind} '${item.name}'`,
            'Give this one another name.',
          ),
          item.name,
        );
      else if (item.kind === 'macro') this.#defineMacro(file, item);
      else this.#defineList(file, item);
    }
  }

  load(file: SourceFile): Prepared<E>[] {
    const prepared: Prepared<E>[] = [];
    for (const item of file.items) {
      if (item.kind === 'rule') {
        const rule = this.#loadRule(file, item);
        if (rule !== undefined) prepared.push(rule);
      } else this.#check(file, item);
    }
    return prepared;
  }

  #defineMacro(file: SourceFile, item: MacroItem): void {
    const resolve = (): Expression<E> | undefined => this.#condition(file, item.condition, item.name);
    this.#names.addMacro({ name: item.name, resolve });
  }

  #defineList(file: SourceFile, item: ListItem): void {
    const fail = (fault: Fault): void => {
      const at = item.items[fault.at]?.at ?? item.at;
      file.report('error', new Fault(fault.code, at, fault.message, fault.hint), item.name);
    };
    this.#names.addList({ name: item.name, items: item.items, fail });
  }

  /** Resolves a macro or list that no rule may use, so that what is wrong with it is found all the same. */
  #check(file: SourceFile, item: MacroItem | ListItem): void {
    try {
      if (item.kind === 'macro') this.#names.macro(item.name, 0);
      else this.#names.list(item.name, 0);
    } catch (error) {
      // What is wrong inside was reported where it stands.
      if (!(error instanceof Fault)) throw error;
      if (!error.code.startsWith('broken-'))
        file.report('error', new Fault(error.code, item.at, error.message, error.hint), item.name);
    }
  }

  /** undefined: it has errors, which were reported. */
  #condition(file: SourceFile, text: YamlText, item: string): Expression<E> | undefined {
    let failed = false;
    const report = (severity: Severity, fault: Fault): void => {
      failed ||= severity === 'error';
      file.report(severity, new Fault(fault.code, text.place(fault.at), fault.message, fault.hint), item);
    };
    try {
      const expression = this.#resolver.resolve(parseCondition(text.text), report);
      return failed ? undefined : expression;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      report('error', error);
      return undefined;
    }
  }

  #loadRule(file: SourceFile, item: RuleItem): Prepared<E> | undefined {
    if (this.#ruleNames.has(item.name)) {
      file.report(
        'error',
        new Fault('duplicate', item.at, `there is already a rule '${item.name}'`, 'Give this one another name.'),
        item.name,
      );
      return undefined;
    }
    this.#ruleNames.add(item.name);
    const expression = this.#condition(file, item.condition, item.name);
    const threshold = this.#attempt(file, item, () =>
      item.threshold === undefined ? undefined : readThreshold(item.threshold, this.#fields),
    );
    const output = this.#attempt(file, item, () => this.#output(item));
    const attack = this.#attempt(file, item, () => attackOf(item));
    if (expression === undefined || threshold === FAILED || output === FAILED || attack === FAILED) return undefined;
    const node = this.#nodes.fold(expression);
    const kinds = this.#kinds.filter(
      (kind) => this.#nodes.assume(node, knownOnKind(kind), new Map()) !== this.#nodes.never,
    );
    if (kinds.length === 0) this.#warnOfNever(file, item, expression);
    if (!item.enabled) return undefined;
    const operands = collectOperands(expression, threshold, output);
    const rule: CompiledRule<E> = {
      name: item.name,
      description: item.description,
      priority: item.priority,
      action: item.action,
      tags: item.tags.map((tag) => tag.text),
      ...attack,
      threshold,
      expression,
      condition: item.condition.text,
      output: output ?? defaultOutput(item.description, operands),
      operands,
      kinds,
      file: file.name,
      line: file.position(item.at).line,
    };
    return { rule, node };
  }

  #output(item: RuleItem): OutputPart<E>[] | undefined {
    const { output } = item;
    if (output === undefined) return undefined;
    try {
      return parseOutput(output.text.trimEnd(), this.#fields);
    } catch (error) {
      if (error instanceof Fault) throw new Fault(error.code, output.place(error.at), error.message, error.hint);
      throw error;
    }
  }

  #attempt<T>(file: SourceFile, item: RuleItem, read: () => T): T | typeof FAILED {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      file.report('error', error, item.name);
      return FAILED;
    }
  }

  #warnOfNever(file: SourceFile, item: RuleItem, expression: Expression<E>): void {
    const limited = collectOperands(expression, undefined, undefined).filter(({ field }) => field.kinds !== undefined);
    const hint = limited
      .slice(0, 4)
      .map(({ field }) => `${field.name} is on ${field.kinds!.join(', ')}.`)
      .join(' ');
    file.report(
      'warning',
      new Fault(
        'never',
        item.condition.place(0),
        `rule '${item.name}' can never match: no kind of event has all it asks for`,
        hint,
      ),
      item.name,
    );
  }
}

const FAILED: unique symbol = Symbol('failed');

/** Tactics and techniques from the tags and `techniques`. @throws Fault at a technique that isn't one */
function attackOf(item: RuleItem): { tactics: string[]; techniques: string[] } {
  const techniques = new Set<string>();
  for (const { text, at } of item.techniques) {
    const technique = techniqueOf(text);
    if (technique === undefined)
      throw new Fault('value', at, `'${text}' is no ATT&CK technique`, 'Techniques are written T1059 or T1059.004.');
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

/** What a rule reads, each once, in the order of first use. */
export function collectOperands<E>(
  expression: Expression<E>,
  threshold?: Threshold<E>,
  output?: readonly OutputPart<E>[],
): Operand<E>[] {
  const found = new Map<string, Operand<E>>();
  const seen = new Set<Expression<E>>();
  const add = (operand: Operand<E>): void => {
    if (!found.has(operand.key)) found.set(operand.key, operand);
  };
  const visit = (part: Expression<E>): void => {
    if (seen.has(part)) return;
    seen.add(part);
    if (part.kind === 'test') {
      add(part.operand);
      if (part.other !== undefined) add(part.other);
    } else if (part.kind === 'not' || part.kind === 'named') visit(part.item);
    else if (part.kind !== 'constant') part.items.forEach(visit);
  };
  visit(expression);
  if (threshold !== undefined)
    [...(threshold.distinct === undefined ? [] : [threshold.distinct]), ...threshold.by].forEach(add);
  for (const part of output ?? []) if (typeof part !== 'string') add('seconds' in part ? part.seconds : part);
  return [...found.values()];
}
