import { LIMITS } from '../model/limits.ts';
import type { Diagnostic, Severity } from './diagnostics.ts';
import type { Fault } from './errors.ts';

/** A rule file: its name, as diagnostics show it, and its text. */
export interface RuleSource {
  readonly name: string;
  readonly text: string;
}

/** The diagnostics of one file. Over a limit they are only counted. */
export class FileReport {
  readonly #file: string;
  readonly #position: (offset: number) => { readonly line: number; readonly column: number };
  readonly #diagnostics: Diagnostic[] = [];
  #more = 0;

  constructor(file: string, position: (offset: number) => { readonly line: number; readonly column: number }) {
    this.#file = file;
    this.#position = position;
  }

  /** `at` of the fault is an offset in the file. */
  report(severity: Severity, fault: Fault, item: string): void {
    if (this.#diagnostics.length >= LIMITS.diagnosticsPerSource) {
      this.#more++;
      return;
    }
    const { code, message, hint, at } = fault;
    this.#diagnostics.push({ file: this.#file, ...this.#position(at), severity, code, message, hint, item });
  }

  diagnostics(): Diagnostic[] {
    const sorted = this.#diagnostics.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const last = sorted.at(-1);
    if (this.#more === 0 || last === undefined) return sorted;
    return [
      ...sorted,
      { ...last, code: 'more', severity: 'error', message: `and ${this.#more} more in this file`, hint: '', item: '' },
    ];
  }
}
