import { catalogue, type FieldType } from '@ringfence/fields';
import { type Alert, MASK } from '@ringfence/wire';
import type { IncidentFile } from './view.ts';

const MAX_CASES = 16;
/** `args` of a process in an alert is cut at this length. */
const ARGS_MAX = 512;

/** A condition that excludes the alerts of one rule in an incident. */
export interface Exception {
  readonly rule: string;
  /** Name of the macro. */
  readonly name: string;
  /** Conditions of its alerts, of which any may hold; empty: there is no exception. */
  readonly cases: readonly string[];
  /** Cases beyond the maximum. */
  readonly omitted: number;
  /** Number of alerts that only an exception for the whole rule would cover. */
  readonly refused: number;
}

/** Fields that do not tell one use of a rule from another. Alone they would switch the rule off. */
const GENERAL = /^(?:host|container|event|user|group|log|orchestrator|network)\.|^integrity\.check$/;
/** Fields that have another value the next time. */
const CHANGING =
  /^@|^evt\.|^(?:source\.port|container\.(?:id|name)|event\.(?:id|action|kind|type|category))$|(?:^|[._])(?:pid|vpid|tid|num|id|start|end|created|time|timestamp|duration|count|bytes|packets|size|sequence|inode|ctime|mtime)$/;
const TYPES: ReadonlyMap<string, FieldType> = new Map(catalogue.fields.map(({ name, type }) => [name, type]));

/** Returns an exception for each rule of the incident, as narrow as its alerts allow. */
export function proposeExceptions({ incident, alerts }: IncidentFile): Exception[] {
  const byRule = Map.groupBy(alerts, ({ rule }) => rule);
  return [...byRule].map(([rule, group]) => {
    const name = `expected_${rule.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}_${incident.id.slice(-8)}`;
    const conditions = group.map(conditionOf);
    const cases = [...new Set(conditions.filter((condition) => condition !== null))];
    return {
      ...{ rule, name: name.replaceAll(/_+/g, '_') },
      cases: cases.slice(0, MAX_CASES),
      omitted: Math.max(0, cases.length - MAX_CASES),
      refused: conditions.filter((condition) => condition === null).length,
    };
  });
}

/** Returns the condition of the exception. */
export const conditionFor = ({ cases }: Exception): string => cases.map((text) => `(${text})`).join(' or ');

/** Whether the exception excludes an alert of its rule. */
export function excludes({ cases }: Exception, alert: Alert): boolean {
  const condition = conditionOf(alert);
  return condition !== null && cases.includes(condition);
}

/**
 * Returns the condition of one alert: its host, process, arguments, user, container, and all that its rule names of the
 * event. Returns null if that fits every match of the rule on the host.
 */
function conditionOf({ hostId, lineage, container, fields }: Alert): string | null {
  const [process, parent] = lineage;
  const facts = new Map<string, string | undefined>([
    ['host.id', hostId],
    ['process.executable', process?.executable],
    ['process.parent.executable', parent?.executable],
    ['process.command_line', process !== undefined && process.args.length < ARGS_MAX ? process.args : undefined],
    ['user.name', process?.user.startsWith('uid ') ? undefined : process?.user],
    ['container.image.name', container?.image],
    ...Object.entries(fields).filter(([name]) => TYPES.has(name) && TYPES.get(name) !== 'strings'),
  ]);
  const known = [...facts].filter(
    (fact): fact is [string, string] => fact[1] !== undefined && isExact(fact[1]) && !isChanging(fact[0]),
  );
  if (known.every(([name]) => GENERAL.test(name))) return null;
  const inside = container === null ? ['not container.id exists'] : [];
  return [...known.map(([name, value]) => `${name} = ${literal(name, value)}`), ...inside].join(' and ');
}

const isChanging = (name: string): boolean => name !== 'host.id' && CHANGING.test(name);

/** An alert shows a value escaped, cut or masked: then it is not the value of the event. */
const isExact = (text: string): boolean =>
  text !== '' && text !== '<NA>' && !text.includes('\\') && !text.includes(MASK) && !text.endsWith('…');

function literal(name: string, text: string): string {
  const isPlain = TYPES.get(name) === 'number' || TYPES.get(name) === 'bool';
  return isPlain ? text : `"${text.replaceAll('"', '\\"')}"`;
}
