import type { Diagnostic, Severity } from '../diagnostics/diagnostics.ts';
import type { Fault } from '../diagnostics/errors.ts';
import { FileReport, type RuleSource } from '../diagnostics/report.ts';
import { readYamlStream } from '../language/file/yaml.ts';
import { readDocuments, type SigmaDocument } from './documents.ts';

/** A Sigma file while it is being read. */
export class SigmaFile {
  readonly name: string;
  readonly documents: readonly SigmaDocument[];
  readonly position: (at: number) => { readonly line: number; readonly column: number };
  readonly #report: FileReport;

  constructor({ name, text }: RuleSource) {
    const yaml = readYamlStream(text);
    this.name = name;
    this.position = (at) => yaml.position(at);
    this.#report = new FileReport(name, this.position);
    for (const fault of yaml.faults) this.report('error', fault, '');
    this.documents = readDocuments(yaml.roots, (fault, item) => this.report('error', fault, item));
  }

  report(severity: Severity, fault: Fault, item: string): void {
    this.#report.report(severity, fault, item);
  }

  diagnostics(): Diagnostic[] {
    return this.#report.diagnostics();
  }
}
