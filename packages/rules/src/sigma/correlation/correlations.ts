import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { YamlText } from '../../language/file/yaml.ts';
import type { Context } from '../context.ts';
import type { SigmaDocument } from '../documents.ts';
import type { SigmaFile } from '../file.ts';
import type { Built, Outcome } from '../rule.ts';
import { readCorrelation } from './document.ts';
import { neverCorrelates } from './never.ts';
import { sequenceOf } from './sequence.ts';
import { thresholdOf } from './threshold.ts';

interface Source {
  readonly file: SigmaFile;
  readonly document: SigmaDocument;
}

/**
 * Turns correlations into rules, after those that they refer to. A correlation with errors is reported and left out.
 */
export class Correlations<E> {
  readonly #sources = new Map<SigmaDocument, Source>();
  readonly #rules: ReadonlyMap<SigmaDocument, Outcome<E>>;
  /** By id and by name, rules first. */
  readonly #documents = new Map<string, SigmaDocument>();
  readonly #context: Context<E>;
  readonly #built = new Map<SigmaDocument, Outcome<E> | 'open'>();
  /** Documents that serve a correlation and raise no alerts themselves; those of a correlation with errors do. */
  readonly silent: Set<SigmaDocument> = new Set();

  constructor(sources: readonly Source[], rules: ReadonlyMap<SigmaDocument, Outcome<E>>, context: Context<E>) {
    for (const source of sources) this.#sources.set(source.document, source);
    this.#rules = rules;
    this.#context = context;
    for (const document of [...rules.keys(), ...this.#sources.keys()])
      for (const key of [document.id, document.name])
        if (key !== '' && !this.#documents.has(key)) this.#documents.set(key, document);
    for (const source of sources) this.#build(source);
  }

  /** Returns undefined if the document is no correlation or has errors. */
  get(document: SigmaDocument): Built<E> | undefined {
    const found = this.#built.get(document);
    return typeof found === 'object' ? found : undefined;
  }

  #build(source: Source): Outcome<E> | 'open' {
    const { file, document } = source;
    const known = this.#built.get(document);
    if (known !== undefined) return known;
    this.#built.set(document, 'open');
    let built: Outcome<E> = 'broken';
    try {
      const read = this.#read(source);
      if (!document.broken) built = read;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      file.report('error', error, document.title);
    }
    this.#built.set(document, built);
    return built;
  }

  #read({ file, document }: Source): Outcome<E> {
    const written = readCorrelation(document);
    const outcomes = written.rules.map((reference) => this.#member(reference));
    const members = outcomes.filter((outcome) => outcome !== 'never');
    const silence = (): void => {
      if (!written.generate && !document.broken) for (const member of members) this.silent.add(member.document);
    };
    const warn = (fault: Fault): void => file.report('warning', fault, document.title);
    const { wanted } = written;
    if (members.length < ('needed' in wanted ? wanted.needed : 1)) {
      const { text, at } = written.rules[outcomes.indexOf('never')]!;
      warn(new Fault('never', at, `rule '${document.title}' never fires here, as '${text}' never does`));
      silence();
      return 'never';
    }
    const correlation = { ...written, rules: written.rules.filter((_, i) => outcomes[i] !== 'never') };
    const found =
      'needed' in wanted && wanted.needed === written.rules.length
        ? sequenceOf(correlation, wanted, members, this.#context, warn)
        : thresholdOf(correlation, members, this.#context);
    const never = neverCorrelates(document.title, correlation, members, found, this.#context);
    never.forEach(warn);
    silence();
    return { file, document, ...found, warned: found.warned || never.length > 0 };
  }

  #member({ text, at }: YamlText): Built<E> | 'never' {
    const document = this.#documents.get(text);
    if (document === undefined) {
      const hint = (): string => didYouMean(text, this.#documents.keys());
      throw new Fault('unknown-rule', at, `no rule has the id or name '${text}'`, hint);
    }
    const found = this.#rules.get(document) ?? this.#build(this.#sources.get(document)!);
    if (found === 'open') throw new Fault('cycle', at, `'${text}' refers back to this correlation`);
    if (found === 'broken') throw new Fault('broken-rule', at, `'${text}' has errors`);
    return found;
  }
}
