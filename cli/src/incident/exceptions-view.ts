import { incidentTitle } from '@ringfence/incident-text';
import { type Alert, escapeText } from '@ringfence/wire';
import type { IncidentFile } from './view.ts';

const MAX_CASES = 16;

/** Rule text: for each rule of the incident a macro that holds for its alerts and for as little else as can be told from them. */
export function exceptionsFor({ incident, alerts }: IncidentFile): string {
  const byRule = Map.groupBy(alerts, ({ rule }) => rule);
  const macros = [...byRule].map(([rule, those]) => macroOf(incident.id, rule, those));
  return [`# What would have silenced ${incident.id}: ${escapeText(incidentTitle(incident))}`, ...macros].join('\n\n');
}

function macroOf(id: string, rule: string, alerts: readonly Alert[]): string {
  const name = `expected_${rule.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}_${id.slice(-8)}`.replaceAll(/_+/g, '_');
  const cases = [...new Set(alerts.map(caseOf))];
  const shown = cases.slice(0, MAX_CASES).map((one) => `(${one})`);
  const left = cases.length - shown.length;
  return [
    `# "${escapeText(rule)}": put this in front of its condition: not ${name} and`,
    ...(left === 0 ? [] : [`# ${left} more cases of it are left out: it may be the wrong rule for this place`]),
    `- macro: ${name}`,
    '  condition: >-',
    `    ${shown.join('\n    or ')}`,
  ].join('\n');
}

/** Who did it, who started that, in which image, and to which file or address. */
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

/** What an alert is about, where its rule names it. */
const SUBJECTS = ['file.path', 'destination.ip', 'destination.port', 'process.script'];

const quoted = (text: string): string =>
  /^\d+$/.test(text) ? text : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
