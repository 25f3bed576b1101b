import type { Diagnostic, Severity } from '../../diagnostics/diagnostics.ts';
import type { Fault } from '../../diagnostics/errors.ts';
import { FileReport, type RuleSource } from '../../diagnostics/report.ts';
import { isFalco } from '../falco/format.ts';
import { type Item, readItems } from './document.ts';
import { type Home, readYaml, type Yaml, type YamlText } from './yaml.ts';

/** A source while it is being read: its items and diagnostics. */
export class SourceFile implements Home {
  readonly name: string;
  /** The file is in Falco's format: its items are resolved together with other such files. */
  readonly falco: boolean;
  readonly root: Yaml | undefined;
  items: readonly Item[];
  readonly position: (at: number) => { readonly line: number; readonly column: number };
  readonly #report: FileReport;
  readonly #missing = new Set<string>();

  constructor(source: RuleSource) {
    this.name = source.name;
    const yaml = readYaml(source.text);
    this.position = yaml.position;
    this.#report = new FileReport(source.name, yaml.position);
    for (const fault of yaml.faults) this.report('error', fault, '');
    this.root = yaml.root;
    this.falco = isFalco(source.name, yaml.root);
    this.items = this.falco ? [] : readItems(yaml.root, (fault, item) => this.report('error', fault, item));
  }

  /**
   * `at` of the fault is an offset in the file. A field that is never available is reported once, not for each rule.
   */
  report(severity: Severity, fault: Fault, item: string): void {
    if (fault.code === 'never-available' && this.#missing.has(fault.message)) return;
    if (fault.code === 'never-available') this.#missing.add(fault.message);
    this.#report.report(severity, fault, item);
  }

  /** Returns the position of an offset in a text of this file. The text may come from another file. */
  placeOf(text: YamlText, offset: number): { readonly home: Home; readonly at: number } {
    return text.origin?.(offset) ?? { home: this, at: text.place(offset) };
  }

  diagnostics(): Diagnostic[] {
    return this.#report.diagnostics();
  }
}
