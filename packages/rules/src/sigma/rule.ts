import { defined } from '@ringfence/base';
import { tacticOf, techniqueOf } from '../attack/tactics.ts';
import type { Prepared } from '../compile/matcher.ts';
import { Fault } from '../diagnostics/errors.ts';
import { defaultOutput } from '../explain/output.ts';
import { neverHolds } from '../language/never.ts';
import { collectOperands } from '../language/resolve/operands-of.ts';
import { sequenceOutput } from '../language/sequence/sequence-rule.ts';
import type { Expression, Operand } from '../model/expression.ts';
import type { CompiledRule, OutputPart, Summary, Threshold } from '../model/rule.ts';
import type { Kept, Sequence } from '../model/sequence.ts';
import type { Context } from './context.ts';
import { detect } from './detection/detect.ts';
import type { SigmaDocument } from './documents.ts';
import type { SigmaFile } from './file.ts';
import type { ResolvedSource } from './sources/resolved-source.ts';

/** A document whose condition is resolved. */
export interface Built<E> extends Found<E> {
  readonly file: SigmaFile;
  readonly document: SigmaDocument;
}

/** What a document asks of events. */
export interface Found<E> {
  readonly source: ResolvedSource<E>;
  /** The condition of its log source. */
  readonly events: Expression<E>;
  /** The condition of its detection, filters included. */
  readonly detection: Expression<E>;
  readonly condition: string;
  readonly threshold?: Threshold<E>;
  readonly summary?: Summary<E>;
  readonly sequence?: Sequence<E>;
  /** For a correlation: its rules. */
  readonly members?: readonly Built<E>[];
  /** A warning that was already reported explains why it never matches. */
  readonly warned: boolean;
}

/**
 * The result of a document. `broken`: it has errors; `never`: no event belongs to its log source. Both were reported.
 */
export type Outcome<E> = Built<E> | 'never' | 'broken';

export function buildRule<E>(file: SigmaFile, document: SigmaDocument, context: Context<E>): Outcome<E> {
  let failed = document.broken;
  let warned = false;
  const report = (severity: 'error' | 'warning', fault: Fault): void => {
    failed ||= severity === 'error';
    warned ||= fault.code === 'unavailable';
    file.report(severity, fault, document.title);
  };
  try {
    const found = detect(document, context, report);
    if ('never' in found) {
      const message = `rule '${document.title}' never fires here: ${found.never}`;
      report('warning', new Fault('never', document.sourceAt, message, found.hint));
      return 'never';
    }
    return failed ? 'broken' : { file, document, events: found.source.events, warned, ...found };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report('error', error);
    return 'broken';
  }
}

/** Returns the condition that an event matches the rule. */
export function conditionOf<E>({ events, detection, document }: Built<E>): Expression<E> {
  return { kind: 'named', name: document.title, local: true, item: { kind: 'and', items: [events, detection] } };
}

/** Warns if the rule can never match, unless an earlier warning explains it. */
export function warnNever<E>({ file, document, events, detection, warned }: Built<E>, { kindsOf }: Context<E>): void {
  const expression: Expression<E> = { kind: 'and', items: [events, detection] };
  if (!warned && kindsOf(expression).length === 0)
    file.report('warning', neverHolds(document.title, expression, document.body.at, kindsOf), document.title);
}

/** Returns the compiled rule: once, or once for each step of a sequence. */
export function finish<E>(built: Built<E>, name: string, context: Context<E>): Prepared<E>[] {
  const { file, document, events, detection, threshold, summary, sequence } = built;
  const expression: Expression<E> = { kind: 'and', items: [events, detection] };
  const node = context.nodes.fold(expression);
  const kinds = context.kindsOf(expression);
  const output = outputOf(built);
  const rule: CompiledRule<E> = {
    name,
    id: document.id,
    description: document.description,
    priority: document.priority,
    action: 'alert',
    profile: document.tags.some(({ text }) => text.toLowerCase() === HUNTING) ? 'hunt' : 'recommended',
    tags: document.tags.map(({ text }) => text),
    ...attackOf(document),
    threshold,
    ...defined({ summary }),
    sequence,
    expression,
    condition: built.condition,
    output,
    operands: collectOperands(expression, threshold ?? summary, output),
    kinds,
    file: file.name,
    line: file.position(document.at).line,
  };
  if (sequence === undefined) return [{ rule, node, step: 0 }];
  return sequence.steps.map((part, step) => ({ rule, node: context.nodes.fold(part.expression), step }));
}

/** SigmaHQ's tag of rules for threat hunting. */
const HUNTING = 'detection.threat-hunting';

function outputOf<E>(built: Built<E>): OutputPart<E>[] {
  const { title } = built.document;
  if (built.sequence === undefined) return defaultOutput(title, shownOf(built));
  const names = { stepOf: () => undefined, kept: built.sequence.kept as Kept<E>[] };
  return sequenceOutput(title, built.sequence, names, (expression) => collectOperands(expression));
}

/** Returns what an alert shows: the fields of the detection and of `fields`, then the main fields of the log source. */
function shownOf<E>({ source, document, detection }: Built<E>): Operand<E>[] {
  const named = document.fields.flatMap(({ text, at }) => {
    try {
      const resolved = source.field(text, at);
      return resolved.kind === 'places' ? resolved.places.map(({ operand }) => operand) : [];
    } catch (error) {
      if (error instanceof Fault) return [];
      throw error;
    }
  });
  return [...collectOperands(detection), ...named, ...source.shown];
}

function attackOf({ tags }: SigmaDocument): { tactics: string[]; techniques: string[] } {
  const words = tags.map(({ text }) => text);
  const tactics = new Set(words.map(tacticOf).filter((tactic) => tactic !== undefined));
  const techniques = new Set(words.map(techniqueOf).filter((technique) => technique !== undefined));
  return { tactics: [...tactics], techniques: [...techniques] };
}
