import { retiredTechniques } from '../attack/retired.ts';
import { attackTechnique, attackTechniques, servedTactics } from '../attack/techniques.ts';
import type { Node } from '../compile/nodes/node.ts';
import { Nodes } from '../compile/nodes/nodes.ts';
import { type Diagnostic, didYouMean } from '../diagnostics/diagnostics.ts';
import type { RuleSource } from '../diagnostics/report.ts';
import { isFalco } from '../language/falco/format.ts';
import { type Item, readItems } from '../language/file/document.ts';
import { readYaml } from '../language/file/yaml.ts';
import { LIMITS } from '../model/limits.ts';
import { type CompiledRule, PRIORITIES } from '../model/rule.ts';
import type { RuleSet } from '../rule-set.ts';
import { isSigma } from '../sigma/documents.ts';
import { implies } from './implies.ts';
import { PartLint } from './parts.ts';
import { unusedItems } from './uses.ts';

type Report = (item: Pick<Diagnostic, 'file' | 'line' | 'column'>, code: string, message: string, hint: string) => void;

/**
 * Returns the warnings that loading does not give, in the order of the sources: unused macros and lists, rules that
 * others make superfluous, conditions that always hold, ATT&CK ids that don't exist or don't fit the tactics, excuses,
 * sequences that mix strangers, values that a field never has.
 */
export function lintRules<E>(set: RuleSet<E>): Diagnostic[] {
  const found: Diagnostic[] = [];
  const places = new Places(set.options.sources);
  const reportOn =
    (name: string): Report =>
    ({ file, line, column }, code, message, hint) =>
      found.push({ file, line, column, severity: 'warning', code, message, hint, item: name });
  for (const { item, place } of places.unused()) {
    const hint = `Remove it, or use it${item.kind === 'macro' ? ` in a condition: ${item.name}` : `: in (${item.name})`}.`;
    reportOn(item.name)(place, `unused-${item.kind}`, `no rule uses the ${item.kind} '${item.name}'`, hint);
  }
  for (const rule of set.rules) checkAttack(rule, places.of(rule), places.isForeign(rule.file), reportOn(rule.name));
  const parts = new PartLint<E>();
  for (const rule of set.rules)
    for (const { code, message, hint } of parts.of(rule))
      if (code !== 'excuse' || !places.givesReason(rule)) reportOn(rule.name)(places.of(rule), code, message, hint);
  compareRules(set.rules, (rule, ...message) => reportOn(rule.name)(places.of(rule), ...message));
  const order = new Map(set.options.sources.map(({ name }, index) => [name, index]));
  return found.sort((a, b) => order.get(a.file)! - order.get(b.file)! || a.line - b.line || a.column - b.column);
}

/** Positions of the items of all sources. */
class Places {
  readonly #files: readonly {
    readonly name: string;
    readonly foreign: boolean;
    readonly items: readonly Item[];
    readonly position: (at: number) => { readonly line: number; readonly column: number };
  }[];
  readonly #columns = new Map<string, number>();
  /** Rules that give a reason for their excuses */
  readonly #reasons = new Set<string>();

  constructor(sources: readonly RuleSource[]) {
    this.#files = sources.map(({ name, text }) => {
      const yaml = readYaml(text);
      const foreign = isSigma(text) || isFalco(name, yaml.root);
      return { name, foreign, items: foreign ? [] : readItems(yaml.root, () => {}), position: yaml.position };
    });
    for (const { name, items, position } of this.#files)
      for (const item of items) {
        const { line, column } = position(item.at);
        this.#columns.set(`${name}\0${line}`, column);
        if (item.kind === 'rule' && item.excuses !== undefined && item.excuses !== '')
          this.#reasons.add(`${name}\0${line}`);
      }
  }

  givesReason({ file, line }: { readonly file: string; readonly line: number }): boolean {
    return this.#reasons.has(`${file}\0${line}`);
  }

  isForeign(file: string): boolean {
    return this.#files.some(({ name, foreign }) => foreign && name === file);
  }

  of({ file, line }: { readonly file: string; readonly line: number }): Pick<Diagnostic, 'file' | 'line' | 'column'> {
    return { file, line, column: this.#columns.get(`${file}\0${line}`) ?? 1 };
  }

  unused(): { item: Item; place: Pick<Diagnostic, 'file' | 'line' | 'column'> }[] {
    const unused = new Set<Item>(unusedItems(this.#files.flatMap(({ items }) => items)));
    return this.#files.flatMap(({ name, items, position }) =>
      items.filter((item) => unused.has(item)).map((item) => ({ item, place: { file: name, ...position(item.at) } })),
    );
  }
}

/** @param foreign the rule is in another language, whose authors decide which tactic a technique serves */
function checkAttack<E>(rule: CompiledRule<E>, place: Parameters<Report>[0], foreign: boolean, report: Report): void {
  const served = new Set<string>();
  let unknown = 0;
  for (const id of rule.techniques) {
    const technique = attackTechnique(id);
    if (technique !== undefined) for (const tactic of servedTactics(technique)) served.add(tactic);
    else {
      unknown++;
      report(place, 'unknown-technique', ...aboutUnknown(id));
    }
  }
  if (served.size === 0 || foreign || unknown > 0) return;
  for (const tactic of rule.tactics.filter((name) => !served.has(name))) {
    const names = rule.techniques.join(', ');
    const hint = `${names} ${rule.techniques.length === 1 ? 'serves' : 'serve'} ${[...served].join(', ')}.`;
    report(place, 'tactic', `no technique of rule '${rule.name}' serves ${tactic}`, hint);
  }
}

/** Returns a message and a hint for an id that ATT&CK does not have. */
function aboutUnknown(id: string): [message: string, hint: string] {
  const now = attackTechnique(retiredTechniques.get(id) ?? '');
  if (now !== undefined) return [`ATT&CK has no technique ${id} any more`, `It is ${now.id} (${now.name}) now.`];
  const hint = didYouMean(id, attackTechniques().keys(), 'attack.mitre.org lists them.');
  return [`ATT&CK has no technique ${id}`, hint];
}

type ReportRule<E> = (rule: CompiledRule<E>, code: string, message: string, hint: string) => void;

/** Finds rules that another rule makes superfluous. Quadratic, but a first check decides most pairs. */
function compareRules<E>(rules: readonly CompiledRule<E>[], report: ReportRule<E>): void {
  const nodes = new Nodes<E>();
  const plain = rules
    .filter(
      (rule) =>
        rule.threshold === undefined &&
        rule.firstSeen === undefined &&
        rule.summary === undefined &&
        rule.sequence === undefined &&
        rule.kinds.length > 0,
    )
    .map((rule) => ({ rule, node: nodes.fold(rule.expression) }));
  const few = plain.length <= LIMITS.comparedRules;
  const byNode = new Map<Node<E>, Compared<E>>();
  for (const [number, { rule, node }] of plain.entries()) {
    if (node === nodes.always) report(rule, 'always', `rule '${rule.name}' matches every event`, 'Add a condition.');
    const known = byNode.get(node);
    const same = known ?? (few ? plain.slice(0, number).find((earlier) => isSame(earlier.node, node)) : undefined);
    if (known === undefined) byNode.set(node, { rule, node });
    if (same !== undefined) {
      const hint = 'Remove one of them, or make their conditions differ.';
      report(rule, 'duplicate-condition', `rule '${rule.name}' has the condition of '${same.rule.name}'`, hint);
      continue;
    }
    const wider = few ? plain.find((candidate) => shadows(candidate, { rule, node })) : undefined;
    if (wider === undefined || wider.node === nodes.always) continue;
    const message = `rule '${rule.name}' adds nothing: whenever it matches, so does '${wider.rule.name}'`;
    report(rule, 'shadowed', message, `Give it another priority or action, narrow '${wider.rule.name}', or remove it.`);
  }
}

interface Compared<E> {
  readonly rule: CompiledRule<E>;
  readonly node: Node<E>;
}

/** A narrower rule is useful if it is more urgent or asks for another action. */
function shadows<E>(wide: Compared<E>, narrow: Compared<E>): boolean {
  const urgency = (rule: CompiledRule<E>): number => PRIORITIES.indexOf(rule.priority);
  if (urgency(narrow.rule) > urgency(wide.rule) || narrow.rule.action !== wide.rule.action) return false;
  // A rule that is active only for hunting does not replace a recommended one.
  if (wide.rule.profile === 'hunt' && narrow.rule.profile !== 'hunt') return false;
  // Nor does a rule whose alerts may be held back.
  if (wide.rule.limits !== undefined) return false;
  if (!narrow.rule.kinds.every((kind) => wide.rule.kinds.includes(kind))) return false;
  return implies(narrow.node, wide.node) && !implies(wide.node, narrow.node);
}

function isSame<E>(a: Node<E>, b: Node<E>): boolean {
  return a === b || (implies(a, b) && implies(b, a));
}
