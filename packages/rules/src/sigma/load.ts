import type { Prepared } from '../compile/matcher.ts';
import type { Nodes } from '../compile/nodes/nodes.ts';
import type { Diagnostic } from '../diagnostics/diagnostics.ts';
import { Fault } from '../diagnostics/errors.ts';
import type { RuleSource } from '../diagnostics/report.ts';
import { Context, type SigmaInput } from './context.ts';
import { Correlations } from './correlation/correlations.ts';
import type { Placeholders } from './detection/placeholders.ts';
import { type SigmaDocument, textsOf } from './documents.ts';
import { SigmaFile } from './file.ts';
import { applies, type Filter, readFilter, refine } from './filter.ts';
import { type Built, buildRule, finish, type Outcome, warnNever } from './rule.ts';

/** Loads Sigma files: rules, correlations and filters, which may refer to each other across files. */
export function loadSigma<E>(
  sources: readonly RuleSource[],
  options: SigmaInput<E>,
  nodes: Nodes<E>,
  taken: Iterable<string>,
): { rules: Prepared<E>[]; diagnostics: Diagnostic[] } {
  const files = sources.map((source) => new SigmaFile(source));
  const placeholders = { ...options.sigma?.placeholders, ...placeholdersOf(files) };
  const loader = new Loader(new Context(options, nodes, placeholders), new Set(taken));
  return { rules: loader.load(files), diagnostics: files.flatMap((file) => file.diagnostics()) };
}

/** Reads the values of placeholders from the documents, and reports errors. */
function placeholdersOf(files: readonly SigmaFile[]): Placeholders {
  const found = new Map<string, readonly string[]>();
  for (const file of files) {
    for (const { body } of file.documents.filter(({ kind }) => kind === 'placeholders')) {
      for (const { key, at } of body.entries) {
        const values = textsOf(body, key).map(({ text }) => text);
        if (found.has(key)) file.report('error', new Fault('duplicate', at, `'%${key}%' is given twice`), '');
        else if (values.length === 0)
          file.report('error', new Fault('shape', at, `'%${key}%' has no values`, 'Write a list.'), '');
        else found.set(key, values);
      }
    }
  }
  return Object.fromEntries(found);
}

class Loader<E> {
  readonly #context: Context<E>;
  readonly #taken: Set<string>;
  readonly #ids = new Set<string>();

  constructor(context: Context<E>, taken: Set<string>) {
    this.#context = context;
    this.#taken = taken;
  }

  load(files: readonly SigmaFile[]): Prepared<E>[] {
    const all = files.flatMap((file) => file.documents.map((document) => ({ file, document })));
    const fresh = all.filter(({ file, document }) => this.#isFirst(file, document));
    const filters = fresh
      .filter(({ document }) => document.kind === 'filter')
      .map(({ file, document }) => readFilter(file, document))
      .filter((filter) => filter !== undefined);
    const built = new Map<SigmaDocument, Outcome<E>>();
    for (const { file, document } of fresh) {
      if (document.kind !== 'rule') continue;
      const rule = buildRule(file, document, this.#context);
      built.set(document, typeof rule === 'string' ? rule : this.#filtered(rule, filters));
    }
    const documents = fresh.filter(({ document }) => document.kind === 'correlation');
    const correlations = new Correlations(documents, built, this.#context);
    return fresh.flatMap(({ document }) => {
      const rule = built.get(document) ?? correlations.get(document);
      if (typeof rule !== 'object') return [];
      warnNever(rule, this.#context);
      if (correlations.silent.has(document)) return [];
      return finish(rule, this.#nameOf(rule.file, document), this.#context);
    });
  }

  #filtered(rule: Built<E>, filters: readonly Filter[]): Built<E> {
    return filters
      .filter((filter) => applies(filter, rule.document))
      .reduce((refined, filter) => refine(refined, filter, this.#context), rule);
  }

  /** Whether the id is new; a duplicate is reported. */
  #isFirst(file: SigmaFile, { id, at, title }: SigmaDocument): boolean {
    if (id === '' || !this.#ids.has(id)) {
      this.#ids.add(id);
      return true;
    }
    file.report(
      'error',
      new Fault('duplicate', at, `there is already a rule with the id ${id}`, 'Choose another id.'),
      title,
    );
    return false;
  }

  /** Returns a unique name, because titles need not be unique but rule names are. */
  #nameOf(file: SigmaFile, { title, id, at }: SigmaDocument): string {
    let name = title;
    if (this.#taken.has(name)) name = `${title} (${id === '' ? `${file.name}:${file.position(at).line}` : id})`;
    this.#taken.add(name);
    return name;
  }
}
