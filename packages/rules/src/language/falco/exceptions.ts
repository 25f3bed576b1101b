import type { RuleException } from '../file/document.ts';
import type { Home, Yaml, YamlEntry, YamlList, YamlText } from '../file/yaml.ts';
import { OPERATORS, type OperandSyntax, type Operator, type Syntax, type ValueSyntax } from '../syntax/syntax.ts';
import { fail, plain, textOf } from './definition.ts';
import { parseOperandAt, unquoted } from './text.ts';

/** One exception of a rule: the fields, how they are compared, and the rows of excepted values. */
export interface Exception {
  readonly name: string;
  readonly fields: readonly YamlText[];
  readonly comps: readonly YamlText[];
  /** `fields` was one text, not a list: a row is one value. */
  readonly single: boolean;
  readonly rows: readonly Row[];
}

interface Row {
  readonly node: Yaml;
  readonly home: Home;
}

const KEYS = ['name', 'fields', 'comps', 'values'];
const LISTS: ReadonlySet<string> = new Set(['in', 'pmatch', 'intersects']);

/**
 * Reads the exceptions of an item. In a definition that is appended, `fields` may be missing: the rows then belong to
 * an earlier exception.
 * @throws Fault
 */
export function readExceptions(value: Yaml | undefined, home: Home): Exception[] {
  if (value === undefined || (value.kind === 'text' && value.text.trim() === '')) return [];
  if (value.kind !== 'list')
    return fail('falco-exception', value.at, "'exceptions' must be a list", 'Write - name: …, fields: […], values: ….');
  return value.items.map((item) => readException(item, home));
}

function readException(item: Yaml, home: Home): Exception {
  if (item.kind !== 'map') return fail('falco-exception', item.at, 'an exception has a name and fields');
  const keys = new Map(item.entries.map((entry) => [entry.key, entry]));
  for (const { key, at } of item.entries)
    if (!KEYS.includes(key))
      fail('unknown-key', at, `unknown key '${key}' in an exception`, `Keys: ${KEYS.join(', ')}.`);
  const name = textOf(keys, 'name')?.text ?? fail('falco-exception', item.at, 'this exception has no name');
  const values = keys.get('values')?.value;
  if (values?.kind === 'map') fail('falco-exception', item.at, "'values' must be a list");
  const rows = values?.kind === 'list' ? values.items.map((node) => ({ node, home })) : [];
  const given = keys.get('fields')?.value;
  const single = given?.kind === 'text';
  return { name, fields: several(keys, 'fields'), comps: several(keys, 'comps'), single, rows };
}

/** Reads one text or a list of texts. */
function several(keys: ReadonlyMap<string, YamlEntry>, key: string): readonly YamlText[] {
  const value = keys.get(key)?.value;
  if (value === undefined) return [];
  return value.kind === 'text'
    ? [value]
    : value.kind === 'list'
      ? value.items.map((item) => plain(item, key))
      : fail('falco-exception', value.at, `'${key}' must be a text or a list`);
}

/** Adds appended exceptions: rows of an exception with the same name, or a new one. @throws Fault */
export function mergeExceptions(before: readonly Exception[], added: readonly Exception[], at: number): Exception[] {
  const all = new Map(before.map((exception) => [exception.name, exception]));
  for (const exception of added) {
    const known = all.get(exception.name);
    if (known === undefined && exception.fields.length === 0)
      fail(
        'falco-exception',
        at,
        `there is no exception '${exception.name}' to add values to`,
        'Give it fields, or correct its name.',
      );
    all.set(exception.name, known === undefined ? exception : { ...known, rows: [...known.rows, ...exception.rows] });
  }
  return [...all.values()];
}

/** Returns the condition that one of the rows holds. @throws Fault */
export function exceptionSyntax({ name, fields, comps, single, rows }: Exception, at: number): RuleException[] {
  if (fields.length === 0) fail('falco-exception', at, `exception '${name}' has no fields`);
  if (comps.length > 0 && comps.length !== fields.length)
    fail('falco-exception', comps[0]!.at, `exception '${name}' has ${fields.length} fields and ${comps.length} comps`);
  const operands = fields.map(parseOperandAt);
  const operators = fields.map((_, i) => operatorOf(comps[i], single ? 'in' : '='));
  const byHome = Map.groupBy(rows, ({ home }) => home);
  return [...byHome].map(([home, homeRows]) => ({
    home,
    syntax: single
      ? test(
          operands[0]!,
          operators[0]!,
          homeRows.map(({ node }) => readValue(plain(node, 'values'))),
          homeRows[0]!.node.at,
        )
      : {
          kind: 'or',
          items: homeRows.map(({ node }) => rowSyntax(name, operands, operators, node)),
          at: homeRows[0]!.node.at,
        },
  }));
}

function operatorOf(
  comp: YamlText | undefined,
  fallback: Operator,
): { readonly operator: Operator; readonly negated: boolean } {
  if (comp === undefined) return { operator: fallback, negated: false };
  const word = comp.text.trim();
  if (word === '!=') return { operator: '=', negated: true };
  const operator = word === '==' ? '=' : word;
  if ((OPERATORS as readonly string[]).includes(operator)) return { operator: operator as Operator, negated: false };
  return fail('unknown-operator', comp.at, `unknown operator '${word}'`, `Operators: ${OPERATORS.join(' ')}.`);
}

function rowSyntax(
  name: string,
  operands: readonly OperandSyntax[],
  operators: readonly ReturnType<typeof operatorOf>[],
  row: Yaml,
): Syntax {
  if (row.kind !== 'list' || row.items.length !== operands.length) {
    const has = row.kind === 'list' ? row.items.length : 1;
    return fail('falco-exception', row.at, `exception '${name}' has ${operands.length} fields, but ${has} values here`);
  }
  const items = operands.map((operand, i) => cellSyntax(operand, operators[i]!, row as YamlList, i));
  return { kind: 'and', items, at: row.at };
}

function cellSyntax(operand: OperandSyntax, operator: ReturnType<typeof operatorOf>, row: YamlList, i: number): Syntax {
  const cell = row.items[i]!;
  const list =
    cell.kind === 'text' && LISTS.has(operator.operator) ? /^\((.*)\)$/s.exec(cell.text.trim())?.[1] : undefined;
  if (list !== undefined && cell.kind === 'text')
    return test(
      operand,
      operator,
      list.split(',').map((text) => readValue({ ...cell, text: text.trim() })),
      cell.at,
    );
  const values =
    cell.kind === 'list'
      ? cell.items.map((item) => readValue(plain(item, 'values')))
      : [readValue(plain(cell, 'values'))];
  return test(operand, operator, values, cell.at);
}

function test(
  operand: OperandSyntax,
  { operator, negated }: ReturnType<typeof operatorOf>,
  values: readonly ValueSyntax[],
  at: number,
): Syntax {
  const bracketed = LISTS.has(operator) || values.length > 1;
  return { kind: 'test', operand, operator, negated, values, bracketed, at };
}

/** An unquoted value may be the name of a list. */
function readValue({ text, at }: YamlText): ValueSyntax {
  const inner = unquoted(text);
  return { text: inner ?? text, quoted: inner !== undefined || /\s/.test(text), at };
}
