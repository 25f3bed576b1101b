import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { Expression } from '../../model/expression.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Value } from './test.ts';

/** A list as written; an unquoted item that names another list stands for its values. */
export interface ListDefinition {
  readonly name: string;
  readonly items: readonly { readonly text: string; readonly quoted: boolean }[];
  /** Reports an error of the list at its place. */
  readonly fail: (fault: Fault) => void;
}

export interface MacroDefinition<E> {
  readonly name: string;
  /** Returns undefined if the macro has errors, which were reported. */
  readonly resolve: () => Expression<E> | undefined;
}

type Progress<T> =
  | { readonly state: 'open' }
  | { readonly state: 'done'; readonly value: T }
  | { readonly state: 'broken' };

const OPEN = { state: 'open' } as const;
const BROKEN = { state: 'broken' } as const;

/**
 * The macros and lists of all sources. Each is resolved once, on first use: the order of definition does not matter.
 */
export class Names<E> {
  readonly #macros = new Map<string, MacroDefinition<E>>();
  readonly #lists = new Map<string, ListDefinition>();
  readonly #macroProgress = new Map<string, Progress<Expression<E>>>();
  readonly #listProgress = new Map<string, Progress<readonly Value[]>>();
  /** Names that are being resolved, outermost first. */
  readonly #open: string[] = [];
  #expanded = 0;

  addMacro(definition: MacroDefinition<E>): void {
    this.#macros.set(definition.name, definition);
  }

  addList(definition: ListDefinition): void {
    this.#lists.set(definition.name, definition);
  }

  hasMacro(name: string): boolean {
    return this.#macros.has(name);
  }

  hasList(name: string): boolean {
    return this.#lists.has(name);
  }

  macroNames(): Iterable<string> {
    return this.#macros.keys();
  }

  listNames(): Iterable<string> {
    return this.#lists.keys();
  }

  /** @throws Fault if it is broken or refers to itself */
  macro(name: string, at: number): Expression<E> {
    const progress = this.#macroProgress.get(name) ?? this.#resolveMacro(name, at);
    if (progress.state === 'done') return progress.value;
    throw this.#unusable('macro', name, at, progress);
  }

  /** @throws Fault if it does not exist, is broken, or contains itself */
  list(name: string, at: number): readonly Value[] {
    const definition = this.#lists.get(name);
    if (definition === undefined) {
      const otherwise = 'Define it with "- list:", or put values between brackets: in (a, b).';
      const hint = (): string => didYouMean(name, this.listNames(), otherwise);
      throw new Fault('unknown-list', at, `unknown list '${name}'`, hint);
    }
    const progress = this.#listProgress.get(name) ?? this.#resolveList(definition, at);
    if (progress.state !== 'done') throw this.#unusable('list', name, at, progress);
    this.#expanded += progress.value.length;
    if (this.#expanded <= LIMITS.listExpansion) return progress.value;
    throw new Fault(
      'too-long',
      at,
      `more than ${LIMITS.listExpansion} list values in total with lists expanded`,
      'Move the comparison with the list to a macro.',
    );
  }

  #resolveMacro(name: string, at: number): Progress<Expression<E>> {
    const definition = this.#macros.get(name);
    if (definition === undefined)
      throw new Fault('unknown-macro', at, `unknown macro '${name}'`, () => didYouMean(name, this.macroNames()));
    this.#enter(name, at);
    this.#macroProgress.set(name, OPEN);
    const value = definition.resolve();
    this.#open.pop();
    const progress: Progress<Expression<E>> = value === undefined ? BROKEN : { state: 'done', value };
    this.#macroProgress.set(name, progress);
    return progress;
  }

  #resolveList(definition: ListDefinition, at: number): Progress<readonly Value[]> {
    this.#enter(definition.name, at);
    this.#listProgress.set(definition.name, OPEN);
    let progress: Progress<readonly Value[]> = BROKEN;
    try {
      progress = { state: 'done', value: this.#expand(definition) };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      definition.fail(error);
    }
    this.#open.pop();
    this.#listProgress.set(definition.name, progress);
    return progress;
  }

  #expand(definition: ListDefinition): Value[] {
    const values = new Map<string, Value>();
    for (const [index, item] of definition.items.entries()) {
      const named = !item.quoted && this.#lists.has(item.text);
      for (const value of named ? this.list(item.text, index) : [{ text: item.text, at: index }])
        values.set(value.text, value);
      if (values.size > LIMITS.listEntries) {
        throw new Fault(
          'too-long',
          index,
          `list '${definition.name}' has more than ${LIMITS.listEntries} values`,
          'Split it, or match with a pattern.',
        );
      }
    }
    return [...values.values()];
  }

  #enter(name: string, at: number): void {
    if (this.#open.length >= LIMITS.depth)
      throw new Fault('too-deep', at, `more than ${LIMITS.depth} nested macros or lists`, 'Flatten them.');
    this.#open.push(name);
  }

  #unusable(kind: string, name: string, at: number, progress: Progress<unknown>): Fault {
    if (progress.state === 'broken')
      return new Fault(`broken-${kind}`, at, `${kind} '${name}' has errors of its own`, `Fix ${kind} '${name}' first.`);
    const circle = [...this.#open.slice(this.#open.indexOf(name)), name].join(' → ');
    return new Fault(
      'cycle',
      at,
      `${kind} '${name}' refers to itself: ${circle}`,
      'Replace one of them by its definition.',
    );
  }
}
