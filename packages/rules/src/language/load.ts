import { defined } from '@ringfence/base';
import type { Prepared } from '../compile/matcher.ts';
import type { Nodes } from '../compile/nodes/nodes.ts';
import { type KindsOf, possibleKinds } from '../compile/nodes/possible-kinds.ts';
import type { Diagnostic, Severity } from '../diagnostics/diagnostics.ts';
import { Fault } from '../diagnostics/errors.ts';
import type { RuleSource } from '../diagnostics/report.ts';
import { defaultOutput, parseOutput } from '../explain/output.ts';
import { type FieldCatalogue, FieldIndex, type FieldLookup, type FieldSpec } from '../model/catalogue.ts';
import type { Expression, Operand } from '../model/expression.ts';
import type { CompiledRule, OutputPart } from '../model/rule.ts';
import type { Sequence } from '../model/sequence.ts';
import { attackOf } from './attack-of.ts';
import { FalcoFields } from './falco/fields.ts';
import { falcoItems } from './falco/items.ts';
import { ESCAPES } from './falco/text.ts';
import type { ListItem, MacroItem, RuleItem } from './file/document.ts';
import { SourceFile } from './file/source-file.ts';
import type { YamlText } from './file/yaml.ts';
import { memoryOf } from './memory/memory-of.ts';
import { neverMatches } from './never.ts';
import { Names } from './resolve/names.ts';
import { collectOperands } from './resolve/operands-of.ts';
import { neverAvailable, type Report, Resolver } from './resolve/resolve.ts';
import { SequenceResolver, type StepNames } from './sequence/resolve-sequence.ts';
import { isSequence, parseSequence } from './sequence/sequence.ts';
import { anyStep, sequenceOutput } from './sequence/sequence-rule.ts';
import { parseCondition } from './syntax/parser.ts';

/** Loads rule files: text to rules with simplified conditions, and diagnostics. */
export function loadRules<E>(
  sources: readonly RuleSource[],
  catalogue: FieldCatalogue<E>,
  kinds: readonly string[],
  nodes: Nodes<E>,
): { rules: Prepared<E>[]; diagnostics: Diagnostic[] } {
  const loader = new Loader(new FieldIndex(catalogue), kinds, nodes);
  const files = sources.map((source) => new SourceFile(source));
  for (const [file, items] of falcoItems(files.filter((file) => file.falco))) file.items = items;
  for (const file of files) loader.define(file);
  const rules = files.flatMap((file) => loader.load(file));
  return { rules, diagnostics: files.flatMap((file) => file.diagnostics()) };
}

/** The names that a file can use. Macros and lists are shared by the files of one language. */
interface Scope<E> {
  readonly fields: FieldLookup<E>;
  readonly names: Names<E>;
  readonly resolver: Resolver<E>;
}

function scopeOf<E>(fields: FieldLookup<E>, falco: boolean): Scope<E> {
  const names = new Names<E>();
  return { fields, names, resolver: new Resolver(fields, names, falco) };
}

class Loader<E> {
  readonly #fields: FieldIndex<E>;
  readonly #kindsOf: KindsOf<E>;
  readonly #nodes: Nodes<E>;
  readonly #native: Scope<E>;
  readonly #falco: Scope<E>;
  readonly #ruleNames = new Set<string>();

  constructor(fields: FieldIndex<E>, kinds: readonly string[], nodes: Nodes<E>) {
    this.#fields = fields;
    this.#kindsOf = possibleKinds(kinds, nodes);
    this.#nodes = nodes;
    this.#native = scopeOf(fields, false);
    this.#falco = scopeOf(new FalcoFields(fields), true);
  }

  #scope(file: SourceFile): Scope<E> {
    return file.falco ? this.#falco : this.#native;
  }

  /** Defines the macros and lists of a file. */
  define(file: SourceFile): void {
    const { names } = this.#scope(file);
    for (const item of file.items) {
      if (item.kind === 'rule') continue;
      const taken = item.kind === 'macro' ? names.hasMacro(item.name) : names.hasList(item.name);
      if (taken)
        file.report(
          'error',
          new Fault('duplicate', item.at, `there is already a ${item.kind} '${item.name}'`, 'Choose another name.'),
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
        prepared.push(...this.#loadRule(file, item));
      } else this.#check(file, item);
    }
    return prepared;
  }

  #defineMacro(file: SourceFile, item: MacroItem): void {
    const resolve = (): Expression<E> | undefined => this.#condition(file, item.condition, item.name);
    this.#scope(file).names.addMacro({ name: item.name, resolve });
  }

  #defineList(file: SourceFile, item: ListItem): void {
    const fail = (fault: Fault): void => {
      const text = item.items[fault.at];
      const { home, at } = text?.origin?.(0) ?? { home: file, at: text?.at ?? item.at };
      home.report('error', fault.movedTo(at), item.name);
    };
    this.#scope(file).names.addList({ name: item.name, items: item.items, fail });
  }

  /** Resolves a macro or list that may be unused, so that its errors are reported all the same. */
  #check(file: SourceFile, item: MacroItem | ListItem): void {
    try {
      const { names } = this.#scope(file);
      if (item.kind === 'macro') names.macro(item.name, 0);
      else names.list(item.name, 0);
    } catch (error) {
      // Errors inside it were reported at their own places.
      if (!(error instanceof Fault)) throw error;
      if (!error.code.startsWith('broken-')) file.report('error', error.movedTo(item.at), item.name);
    }
  }

  /** Returns undefined if the condition has errors, which were reported. */
  #condition(file: SourceFile, text: YamlText, item: string, lenient = false): Expression<E> | undefined {
    return this.#resolved(file, text, item, lenient, (report) => {
      const syntax = parseCondition(text.text, file.falco ? ESCAPES : undefined);
      return this.#scope(file).resolver.resolve(syntax, report);
    });
  }

  /** Returns the result of `resolve`; undefined: the text has errors, which were reported. */
  #resolved<T>(
    file: SourceFile,
    text: YamlText,
    item: string,
    lenient: boolean,
    resolve: (report: Report) => T,
  ): T | undefined {
    let failed = false;
    const report = (severity: Severity, fault: Fault): void => {
      failed ||= severity === 'error';
      const { home, at } = file.placeOf(text, fault.at);
      const reported = lenient && fault.code === 'unknown-field' ? 'warning' : severity;
      home.report(reported, fault.movedTo(at), item);
    };
    try {
      const result = resolve(report);
      return failed ? undefined : result;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      report('error', error);
      return undefined;
    }
  }

  /** Returns the rule's condition without its exceptions. */
  #ruleCondition(file: SourceFile, item: RuleItem): Expression<E> | undefined {
    const condition = this.#condition(file, item.condition, item.name, item.skipsUnknown);
    if (condition === undefined || item.exceptions === undefined || item.exceptions.length === 0) return condition;
    let failed = false;
    const excepted = item.exceptions.map(({ syntax, home }): Expression<E> => {
      const report = (severity: Severity, fault: Fault): void => {
        failed ||= severity === 'error';
        home.report(severity, fault, item.name);
      };
      return { kind: 'not', item: this.#scope(file).resolver.resolve(syntax, report) };
    });
    return failed ? undefined : { kind: 'and', items: [condition, ...excepted] };
  }

  #loadRule(file: SourceFile, item: RuleItem): readonly Prepared<E>[] {
    if (this.#ruleNames.has(item.name)) {
      file.report(
        'error',
        new Fault('duplicate', item.at, `there is already a rule '${item.name}'`, 'Choose another name.'),
        item.name,
      );
      return [];
    }
    this.#ruleNames.add(item.name);
    const steps = !file.falco && isSequence(item.condition.text) ? this.#sequence(file, item) : undefined;
    const expression =
      steps === undefined ? this.#ruleCondition(file, item) : steps.sequence && anyStep(steps.sequence);
    const memory = this.#attempt(file, item, () => memoryOf(item, steps !== undefined, this.#fields));
    const output = this.#output(file, item, steps?.names);
    const attack = this.#attempt(file, item, () => attackOf(item));
    if (item.broken || expression === undefined || memory === FAILED || output === FAILED || attack === FAILED)
      return [];
    const { threshold, summary, firstSeen, limits } = memory;
    const node = this.#nodes.fold(expression);
    const kinds = this.#kindsOf(expression);
    const { home, at } = file.placeOf(item.condition, 0);
    const counted = threshold ?? summary ?? firstSeen;
    const asked = { expression, counted, sequence: steps?.sequence };
    const never = neverMatches(item.name, asked, at, this.#kindsOf);
    if (never !== undefined) home.report('warning', never, item.name);
    const operands = collectOperands(expression, counted, output);
    const rule: CompiledRule<E> = {
      name: item.name,
      description: item.description,
      priority: item.priority,
      action: item.action,
      profile: item.profile,
      tags: item.tags.map((tag) => tag.text),
      ...attack,
      threshold,
      ...defined({ summary, firstSeen }),
      ...(limits.length === 0 ? {} : { limits }),
      sequence: steps?.sequence,
      expression,
      condition: item.condition.text,
      output: output ?? this.#defaultOutput(item.description, operands, steps),
      operands,
      kinds,
      ...(item.enabled ? {} : { enabled: false as const }),
      file: file.name,
      line: file.position(item.at).line,
    };
    if (rule.sequence === undefined) return [{ rule, node, step: 0 }];
    return rule.sequence.steps.map((part, step) => ({ rule, node: this.#nodes.fold(part.expression), step }));
  }

  #sequence(file: SourceFile, item: RuleItem): Steps<E> {
    const { condition, name } = item;
    let names: SequenceResolver<E> | undefined;
    const sequence = this.#resolved(file, condition, name, false, (report) => {
      names = new SequenceResolver(this.#fields, this.#native.resolver, report);
      return names.resolve(parseSequence(condition.text));
    });
    return { sequence, names };
  }

  #defaultOutput(description: string, operands: readonly Operand<E>[], steps: Steps<E> | undefined): OutputPart<E>[] {
    if (steps?.sequence === undefined || steps.names === undefined) return defaultOutput(description, operands);
    const read = (expression: Expression<E>): Operand<E>[] => collectOperands(expression, undefined, undefined);
    return sequenceOutput(description, steps.sequence, steps.names, read);
  }

  #output(
    file: SourceFile,
    item: RuleItem,
    names: StepNames<E> | undefined,
  ): OutputPart<E>[] | undefined | typeof FAILED {
    const { output } = item;
    if (output === undefined) return undefined;
    try {
      const parts = parseOutput(output.text.trimEnd(), this.#scope(file).fields, names);
      for (const part of parts)
        if (typeof part !== 'string' && 'field' in part) this.#noteMissing(file, output, part.field, item.name);
      return parts;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const { home, at } = file.placeOf(output, error.at);
      home.report('error', error.movedTo(at), item.name);
      return FAILED;
    }
  }

  #noteMissing(file: SourceFile, output: YamlText, field: FieldSpec<E>, name: string): void {
    if (field.never === undefined) return;
    const { home, at } = file.placeOf(output, Math.max(0, output.text.indexOf(field.name.replace(/^falco\./, ''))));
    home.report('warning', neverAvailable(field, at), name);
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
}

/** A condition that is a sequence; undefined: it has errors. */
interface Steps<E> {
  readonly sequence: Sequence<E> | undefined;
  readonly names: StepNames<E> | undefined;
}

const FAILED: unique symbol = Symbol('failed');
