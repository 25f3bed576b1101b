import { tacticOf } from '../../attack/tactics.ts';
import type { Fault } from '../../diagnostics/errors.ts';
import { necessaryCover } from '../../interest/cover.ts';
import { knownOf } from '../../interest/rule-interest.ts';
import type { YamlMap } from '../../language/file/yaml.ts';
import type { Expression } from '../../model/expression.ts';
import type { Context } from '../context.ts';
import type { SigmaDocument } from '../documents.ts';
import { findLogSource } from '../sources/find-log-source.ts';
import type { ResolvedSource } from '../sources/resolved-source.ts';
import type { LogSourceUse, NoLogSource } from '../sources/taxonomy.ts';
import { Detection, partsOf } from './detection.ts';
import { Selections } from './selection.ts';

export type Report = (severity: 'error' | 'warning', fault: Fault) => void;

/** What a rule looks for. */
export interface Detected<E> {
  readonly source: ResolvedSource<E>;
  /** Without the log source. */
  readonly detection: Expression<E>;
  /** The condition as text. */
  readonly condition: string;
}

/** Resolves a rule's detection; errors of a selection are reported. @throws Fault if the condition is wrong */
export function detect<E>(document: SigmaDocument, context: Context<E>, report: Report): Detected<E> | NoLogSource {
  const syscalls = names(document.body, /^(?:SYSCALL|syscall)(?:\||$)/);
  const { service, category } = document.source;
  const reads = isAboutReads(document);
  const all = { syscalls, filtered: true, reads };
  if (service !== 'auditd' && category !== 'file_event') return on(document, context, all, report);
  const wide = on(document, context, all, () => {});
  // A rule that does not bound the start or end of paths would need every read and every rename.
  const filtered = 'never' in wide || boundsPaths(wide, context);
  return on(document, context, { syscalls, filtered, reads }, report);
}

function on<E>(
  document: SigmaDocument,
  context: Context<E>,
  use: LogSourceUse,
  report: Report,
): Detected<E> | NoLogSource {
  const found = findLogSource(document.source, use);
  if ('never' in found) return found;
  const source = context.resolved(JSON.stringify([document.source, use]), found);
  const { entries, condition } = partsOf(document.body);
  const detection = new Detection(entries, new Selections(source, context.placeholders, report), report);
  const texts = condition.kind === 'list' ? condition.items : [condition];
  const written = texts.map((text) => (text.kind === 'text' ? text.text : ''));
  return { source, detection: detection.read(condition), condition: written.join(' or ') };
}

/** Resolves the condition of a filter on a log source. @throws Fault */
export function detectFilter<E>(
  filter: SigmaDocument,
  source: ResolvedSource<E>,
  context: Context<E>,
  report: Report,
): Expression<E> {
  const { entries, condition } = partsOf(filter.body, ['rules']);
  return new Detection(entries, new Selections(source, context.placeholders, report), report).read(condition);
}

function boundsPaths<E>({ source, detection }: Detected<E>, { nodes, filtered }: Context<E>): boolean {
  const node = nodes.fold({ kind: 'and', items: [source.events, detection] });
  return filtered.every((events) => necessaryCover(nodes.assume(node, knownOf<E>(events), new Map()), events) !== null);
}

/** Tactics whose techniques read files; those of the others change them. */
const READING: ReadonlySet<string> = new Set(['reconnaissance', 'credential-access', 'discovery', 'collection']);

function isAboutReads({ tags }: SigmaDocument): boolean {
  const tactics = tags.map(({ text }) => tacticOf(text)).filter((tactic) => tactic !== undefined);
  return tactics.length === 0 || tactics.some((tactic) => READING.has(tactic));
}

/** Whether a key of some selection has that form. */
function names(body: YamlMap, form: RegExp): boolean {
  return body.entries.some(({ value }) =>
    (value.kind === 'list' ? value.items : [value]).some(
      (item) => item.kind === 'map' && item.entries.some(({ key }) => form.test(key)),
    ),
  );
}
