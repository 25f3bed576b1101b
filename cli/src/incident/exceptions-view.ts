import { incidentTitle } from '@ringfence/incident-text';
import { escapeText, type Incident } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';
import type { Exception } from './exception.ts';

/** Number of stored records that an exception matches. */
export interface Width {
  /** Stored alerts of the rule. */
  readonly alerts: number;
  /** Stored alerts of the rule that the exception excludes. */
  readonly excluded: number;
  /** Hosts with stored alerts of the rule. */
  readonly hosts: number;
  /** Stored events that match the exception, of any rule. */
  readonly events: number;
}

/** Returns the macros as a rule file. A rule that an exception would switch off gets a comment instead of a macro. */
export function exceptionsText(
  incident: Incident,
  exceptions: readonly { readonly exception: Exception; readonly width: Width }[],
): string {
  const macros = exceptions.map(({ exception, width }) => macroText(exception, width));
  return [`# Exceptions for ${incident.id}: ${escapeText(incidentTitle(incident))}`, ...macros].join('\n\n');
}

function macroText(exception: Exception, width: Width): string {
  const { name, cases, omitted, refused } = exception;
  const rule = `"${escapeText(exception.rule)}"`;
  const refusal = `# ${rule}: no exception for ${counted(refused, 'alert')}, which names no process, file or destination: it would silence the whole rule on the host`;
  if (cases.length === 0) return refusal;
  const { alerts, excluded, hosts, events } = width;
  const shown = cases.map((condition) => `(${condition})`);
  return [
    `# ${rule}: prefix its condition with: not ${name} and`,
    `# it matches ${excluded} of ${counted(alerts, 'stored alert')} of this rule (${counted(hosts, 'host')}), and ${counted(events, 'stored event')} of any kind`,
    ...(refused === 0 ? [] : [refusal]),
    ...(omitted === 0 ? [] : [`# ${counted(omitted, 'more case')} omitted: the rule may not fit this environment`]),
    `- macro: ${name}`,
    '  condition: >-',
    `    ${shown.join('\n    or ')}`,
  ].join('\n');
}
