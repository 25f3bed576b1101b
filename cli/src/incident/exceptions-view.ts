import { incidentTitle } from '@ringfence/incident-text';
import { type Alert, escapeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';
import type { IncidentFile } from './view.ts';

const MAX_CASES = 16;

/** Returns a macro for each rule of the incident that matches its alerts, and as few other events as possible. */
export function exceptionsFor({ incident, alerts }: IncidentFile): string {
  const byRule = Map.groupBy(alerts, ({ rule }) => rule);
  const macros = [...byRule].map(([rule, group]) => macroOf(incident.id, rule, group));
  return [`# Exceptions for ${incident.id}: ${escapeText(incidentTitle(incident))}`, ...macros].join('\n\n');
}

function macroOf(id: string, rule: string, alerts: readonly Alert[]): string {
  const name = `expected_${rule.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}_${id.slice(-8)}`.replaceAll(/_+/g, '_');
  const cases = [...new Set(alerts.map(caseOf))];
  const shown = cases.slice(0, MAX_CASES).map((condition) => `(${condition})`);
  const omitted = cases.length - shown.length;
  return [
    `# "${escapeText(rule)}": prefix its condition with: not ${name} and`,
    ...(omitted === 0 ? [] : [`# ${counted(omitted, 'more case')} omitted: the rule may not fit this environment`]),
    `- macro: ${name}`,
    '  condition: >-',
    `    ${shown.join('\n    or ')}`,
  ].join('\n');
}

/** Returns the condition of an alert: its process, the parent, the container image, and the file or address. */
function caseOf({ lineage, container, fields }: Alert): string {
  const [process, parent] = lineage;
  const facts: [field: string, value: string | undefined][] = [
    ['process.executable', process?.executable],
    ['process.parent.executable', parent?.executable],
    ['container.image.name', container?.image],
    ...SUBJECTS.map((name): [string, string | undefined] => [name, fields[name]]),
  ];
  const known = facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '');
  const inside = container === null ? ['not container.id exists'] : [];
  return [...known.map(([name, value]) => `${name} = ${quoted(value)}`), ...inside].join(' and ');
}

/** Fields of the object that the process acted on. An alert has those that its rule names. */
const SUBJECTS = ['file.path', 'destination.ip', 'destination.port', 'process.script'];

const quoted = (text: string): string =>
  /^\d+$/.test(text) ? text : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
