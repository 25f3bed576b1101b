import { writeFileSync } from 'node:fs';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes?: readonly string[];
}

/** Prints results as they come, and collects them for --json. */
export class Report {
  readonly #json: boolean;
  readonly #tables: (Table & { readonly section: string })[] = [];
  readonly #figures: Record<string, unknown> = {};
  readonly #failures: string[] = [];
  #section = '';

  constructor(json: boolean) {
    this.#json = json;
  }

  begin(section: string): void {
    this.#section = section;
    this.print(`\n== ${section}`);
  }

  /** Prints a line to stdout, or to stderr with --json. */
  print(line: string): void {
    writeFileSync(this.#json ? 2 : 1, `${line}\n`);
  }

  table(table: Table): void {
    this.#tables.push({ section: this.#section, ...table });
    this.print(`\n${render(table)}`);
  }

  /** Adds a figure to the JSON output. */
  figure(name: string, value: unknown): void {
    this.#figures[`${this.#section}.${name}`] = value;
  }

  /** Reports a violated invariant, such as a lost event; the bench then ends with exit code 1. */
  fail(message: string): void {
    this.#failures.push(`${this.#section}: ${message}`);
    this.print(`FAILED: ${message}`);
  }

  get failed(): boolean {
    return this.#failures.length > 0;
  }

  end(environment: Readonly<Record<string, unknown>>): void {
    if (!this.#json) return;
    const output = { environment, figures: this.#figures, tables: this.#tables, failures: this.#failures };
    writeFileSync(1, `${JSON.stringify(output, null, 2)}\n`);
  }
}

function render({ title, columns, rows, notes = [] }: Table): string {
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`;
  return [title, line(columns), ...rows.map(line), ...notes.map((note) => `  ${note}`)].join('\n');
}
