import { didYouMean } from '../diagnostics.ts';
import { Fault } from '../errors.ts';
import type { YamlText } from '../language/yaml.ts';
import type { Context } from './context.ts';
import { readCorrelation } from './correlation-document.ts';
import { sequenceOf } from './correlation-sequence.ts';
import { thresholdOf } from './correlation-threshold.ts';
import type { SigmaDocument } from './documents.ts';
import type { SigmaFile } from './load.ts';
import type { Built } from './rule.ts';

interface Source {
  readonly file: SigmaFile;
  readonly document: SigmaDocument;
}

/** Turns correlations into rules, those that others refer to first. What is wrong is reported, and left out. */
export class Correlations<E> {
  readonly #sources: readonly Source[];
  readonly #rules: readonly Built<E>[];
  readonly #context: Context<E>;
  readonly #built = new Map<SigmaDocument, Built<E> | 'open' | 'broken'>();
  /** documents that serve a correlation and don't alert themselves */
  readonly silent: Set<SigmaDocument> = new Set();

  constructor(sources: readonly Source[], rules: readonly Built<E>[], context: Context<E>) {
    this.#sources = sources;
    this.#rules = rules;
    this.#context = context;
    for (const source of sources) this.#build(source);
  }

  /** undefined: it is no correlation, or one with errors. */
  get(document: SigmaDocument): Built<E> | undefined {
    const found = this.#built.get(document);
    return typeof found === 'object' ? found : undefined;
  }

  #build(source: Source): Built<E> | 'open' | 'broken' {
    const { file, document } = source;
    const known = this.#built.get(document);
    if (known !== undefined) return known;
    this.#built.set(document, 'open');
    let built: Built<E> | 'broken' = 'broken';
    try {
      built = this.#read(source);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      file.report('error', error, document.title);
    }
    this.#built.set(document, built);
    return built;
  }

  #read({ file, document }: Source): Built<E> {
    const correlation = readCorrelation(document);
    const members = correlation.rules.map((reference) => this.#member(reference));
    if (!correlation.generate) for (const member of members) this.silent.add(member.document);
    const warn = (fault: Fault): void => file.report('warning', fault, document.title);
    const { wanted } = correlation;
    const found =
      'needed' in wanted && wanted.needed === members.length
        ? sequenceOf(correlation, wanted, members, this.#context, warn)
        : thresholdOf(correlation, members, this.#context);
    return { file, document, ...found };
  }

  #member({ text, at }: YamlText): Built<E> {
    const is = ({ document: { id, name } }: Source): boolean => text === id || text === name;
    const rule = this.#rules.find(is);
    if (rule !== undefined) return rule;
    const source = this.#sources.find(is);
    if (source === undefined) {
      const known = [...this.#rules, ...this.#sources].map(({ document: { id, name } }) => (name === '' ? id : name));
      throw new Fault('unknown-rule', at, `no rule has the id or name '${text}'`, didYouMean(text, known));
    }
    const built = this.#build(source);
    if (built === 'open') throw new Fault('cycle', at, `'${text}' refers back to this correlation`);
    if (built === 'broken') throw new Fault('broken-rule', at, `'${text}' has errors`);
    return built;
  }
}
