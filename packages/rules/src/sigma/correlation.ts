import { didYouMean } from '../diagnostics.ts';
import { Fault } from '../errors.ts';
import type { Context } from './context.ts';
import { readCorrelation } from './correlation-document.ts';
import { thresholdOf } from './correlation-threshold.ts';
import type { SigmaDocument } from './documents.ts';
import type { SigmaFile } from './load.ts';
import type { Built } from './rule.ts';

/** A correlation as a rule: any of its rules' conditions, and how often. */
export type Correlated<E> = Built<E>;

interface Result<E> {
  readonly correlated: ReadonlyMap<SigmaDocument, Correlated<E>>;
  /** rules that serve correlations and don't alert themselves */
  readonly silent: ReadonlySet<SigmaDocument>;
}

/** Turns correlations into rules. What is wrong is reported, and left out. */
export function correlate<E>(
  documents: readonly { readonly file: SigmaFile; readonly document: SigmaDocument }[],
  rules: readonly Built<E>[],
  context: Context<E>,
): Result<E> {
  const correlated = new Map<SigmaDocument, Correlated<E>>();
  const silent = new Set<SigmaDocument>();
  for (const { file, document } of documents) {
    try {
      const correlation = readCorrelation(document);
      const members = correlation.rules.map((reference) => find(reference.text, reference.at, rules));
      if (!correlation.generate) for (const member of members) silent.add(member.document);
      correlated.set(document, { file, document, ...thresholdOf(correlation, members, context) });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      file.report('error', error, document.title);
    }
  }
  return { correlated, silent };
}

function find<E>(reference: string, at: number, rules: readonly Built<E>[]): Built<E> {
  const found = rules.find(({ document: { id, name } }) => reference === id || reference === name);
  if (found !== undefined) return found;
  const known = rules.map(({ document: { id, name } }) => (name === '' ? id : name));
  throw new Fault('unknown-rule', at, `no rule has the id or name '${reference}'`, didYouMean(reference, known));
}
