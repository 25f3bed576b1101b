import { CompiledMatcher, conditionsByKind, type Matcher, type Prepared } from './compile/matcher.ts';
import { Nodes } from './compile/nodes/nodes.ts';
import type { Diagnostic } from './diagnostics/diagnostics.ts';
import type { RuleSource } from './diagnostics/report.ts';
import type { FilteredForm } from './interest/forms.ts';
import { type FilteredEvents, interestOf, type RuleInterest } from './interest/rule-interest.ts';
import { loadRules } from './language/load.ts';
import { type EventKinds, type FieldCatalogue, FieldIndex, onOwnKinds } from './model/catalogue.ts';
import type { CompiledRule, Profile } from './model/rule.ts';
import type { SigmaOptions } from './sigma/context.ts';
import { isSigma } from './sigma/documents.ts';
import { loadSigma } from './sigma/load.ts';
import { type Memories, RuleMemory } from './state/memory.ts';

/** A file that is new, changed or (text null) deleted. */
export interface ChangedSource {
  readonly name: string;
  readonly text: string | null;
}

export interface CompileOptions<E> {
  /** Rule files with distinct names. Macros and lists are shared by all sources, in any order. */
  readonly sources: readonly RuleSource[];
  readonly catalogue: FieldCatalogue<E>;
  readonly kinds: EventKinds<E>;
  /** The profile whose rules are active. @default hunt: all rules */
  readonly profile?: Profile;
  /** State of the rules to continue with. @default one memory for all events, initially empty, without a changelog */
  readonly memory?: Memories<E>;
  /** Options for the Sigma rules among the sources. */
  readonly sigma?: SigmaOptions;
  /**
   * Events that are filtered by path before they are matched; `interest.paths` has what the filter must let through.
   */
  readonly filtered?: readonly FilteredEvents[];
  /**
   * Events that are filtered by kind, form and port before they are matched; `interest.forms` has what the filter must
   * let through.
   * @default none
   */
  readonly forms?: readonly FilteredForm[];
  /**
   * Finds the conditions worth evaluating by their literals. false: evaluates every condition of the event's kind, as
   * the reference for tests and benchmarks.
   * @default true
   */
  readonly indexed?: boolean;
  /**
   * Returns the time in ms, to measure the cost of a condition's parts and order them by it. null: the order follows
   * estimates.
   * @default performance.now
   */
  readonly clock?: (() => number) | null;
}

export interface RuleSet<E> {
  readonly options: CompileOptions<E>;
  /** Active rules, in the order of the sources. */
  readonly rules: readonly CompiledRule<E>[];
  /** Rules with `enabled: false`. */
  readonly switchedOff: readonly CompiledRule<E>[];
  /** Diagnostics of all sources, in their order. */
  readonly diagnostics: readonly Diagnostic[];
  readonly matcher: Matcher<E>;
  readonly memory: Memories<E>;
  readonly interest: RuleInterest<E>;
}

export interface RuleUpdate<E> {
  readonly set: RuleSet<E>;
  /** Diagnostics of all sources, including the changed ones that were refused. */
  readonly diagnostics: readonly Diagnostic[];
  /** Names of changed sources that have errors or break other sources: `set` has their former version. */
  readonly refused: readonly string[];
}

/**
 * Compiles rules. Never throws because of a source's content: a broken rule is left out and reported, the others are
 * active.
 */
export function compileRules<E>(options: CompileOptions<E>): RuleSet<E> {
  const { kinds, clock = () => performance.now() } = options;
  const memory = options.memory ?? new RuleMemory({ changelog: false });
  const nodes = new Nodes<E>();
  const loaded = loadAll({ ...options, catalogue: onOwnKinds(options.catalogue, kinds) }, nodes);
  const isActive = ({ rule }: Prepared<E>): boolean =>
    rule.enabled !== false && (rule.profile === 'recommended' || options.profile !== 'recommended');
  const prepared = loaded.rules.filter(isActive);
  const off = loaded.rules.filter(({ rule }) => rule.enabled === false);
  const byKind = conditionsByKind(kinds.names, prepared, nodes);
  const rules = [...new Set(prepared.map(({ rule }) => rule))];
  const interest = interestOf(prepared, byKind, nodes, options.filtered ?? [], options.forms ?? []);
  const index = new FieldIndex(options.catalogue);
  const fields = options.indexed === false ? null : index.find.bind(index);
  return {
    options,
    rules,
    switchedOff: [...new Set(off.map(({ rule }) => rule))],
    diagnostics: inOrder(options.sources, [...loaded.diagnostics, ...warningsOf(interest, options.filtered)]),
    matcher: new CompiledMatcher(prepared, kinds, byKind, memory, fields, clock),
    memory,
    interest,
  };
}

/** Loads each file in its language. */
function loadAll<E>(options: CompileOptions<E>, nodes: Nodes<E>): { rules: Prepared<E>[]; diagnostics: Diagnostic[] } {
  const { sources, catalogue, kinds } = options;
  const { native = [], sigma: ofSigma = [] } = Object.groupBy(sources, ({ text }) =>
    isSigma(text) ? 'sigma' : 'native',
  );
  const nativeSet = loadRules(native, catalogue, kinds.names, nodes);
  if (ofSigma.length === 0) return nativeSet;
  const names = nativeSet.rules.map(({ rule }) => rule.name);
  const sigmaSet = loadSigma(ofSigma, options, nodes, names);
  const order = new Map(sources.map(({ name }, index) => [name, index]));
  const rules = [...nativeSet.rules, ...sigmaSet.rules].sort(
    (a, b) => order.get(a.rule.file)! - order.get(b.rule.file)!,
  );
  return { rules, diagnostics: [...nativeSet.diagnostics, ...sigmaSet.diagnostics] };
}

/** Warns about rules that leave a filter nothing to drop. */
function warningsOf<E>({ paths }: RuleInterest<E>, filtered: readonly FilteredEvents[] = []): Diagnostic[] {
  const kinds = filtered.map(({ kind }) => kind).join(' and every ');
  const [first] = filtered;
  const field = first?.fields[0];
  const executable = first?.executable === undefined ? '' : `, or executables: ${first.executable} = /usr/sbin/nginx`;
  const unbounded = new Set(paths.flatMap((interest) => interest.unbounded));
  return [...unbounded].map(({ name, file, line }) => ({
    file,
    line,
    column: 1,
    severity: 'warning',
    code: 'unfiltered',
    message: `rule '${name}' makes the sensor send every ${kinds}`,
    hint: `Give it a path prefix or a file name: ${field} startswith /etc/, or ${field} endswith /id_rsa${executable}.`,
    item: name,
  }));
}

function inOrder(sources: readonly RuleSource[], diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const order = new Map(sources.map(({ name }, index) => [name, index]));
  return diagnostics.toSorted((a, b) => order.get(a.file)! - order.get(b.file)! || a.line - b.line);
}

/**
 * Returns the set after some files changed; the previous set stays as it is. A changed file with errors is refused and
 * its former version stays active. If the changed files together break an unchanged one, all of them are refused. A new
 * file has no former version, so its valid rules are active despite errors.
 */
export function updateRules<E>(previous: RuleSet<E>, changed: readonly ChangedSource[]): RuleUpdate<E> {
  const former = new Map(previous.options.sources.map((source) => [source.name, source.text]));
  const attempt = (accepted: readonly ChangedSource[]): RuleSet<E> => {
    const sources = new Map(former);
    for (const { name, text } of accepted) {
      if (text === null) sources.delete(name);
      else sources.set(name, text);
    }
    const list = [...sources].map(([name, text]) => ({ name, text }));
    return compileRules({ ...previous.options, sources: list, memory: previous.memory });
  };
  const first = attempt(changed);
  let accepted = changed;
  let set = first;
  for (;;) {
    const broken = newlyBroken(set, former, accepted);
    if (broken.length === 0) break;
    accepted = accepted.filter(({ name }) => !broken.includes(name));
    set = attempt(accepted);
  }
  const refused = changed.filter((source) => !accepted.includes(source)).map(({ name }) => name);
  return { set, refused, diagnostics: first.diagnostics };

  function newlyBroken(
    now: RuleSet<E>,
    before: ReadonlyMap<string, string>,
    tried: readonly ChangedSource[],
  ): string[] {
    const failing = filesWithErrors(now.diagnostics);
    const broken = tried
      .filter(({ name, text }) => text !== null && before.has(name) && failing.has(name))
      .map(({ name }) => name);
    if (broken.length > 0) return broken;
    const was = filesWithErrors(previous.diagnostics);
    const names = new Set(tried.map(({ name }) => name));
    const breaksOthers = [...failing].some((name) => !was.has(name) && !names.has(name));
    return breaksOthers ? [...names] : [];
  }
}

function filesWithErrors(diagnostics: readonly Diagnostic[]): Set<string> {
  return new Set(diagnostics.filter(({ severity }) => severity === 'error').map(({ file }) => file));
}
