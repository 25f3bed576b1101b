import { durationText, type Paint, paintPriority } from '@ringfence/base';
import { alertReason, incidentTitle, type TimelineStep, timelineOf } from '@ringfence/incident-text';
import { withV18 } from '@ringfence/rules/attack';
import {
  type Alert,
  type Command,
  escapeText,
  type Incident,
  type IncidentAlert,
  type IncidentProcess,
  type Result,
} from '@ringfence/wire';
import { counted, timeOfDay } from '../shared/numbers.ts';

/** An incident with its alerts, commands and results. */
export interface IncidentFile {
  readonly incident: Incident;
  readonly alerts: readonly Alert[];
  readonly commands: readonly Command[];
  readonly results: readonly Result[];
}

/** Indent of lines below a time. */
const BELOW_TIME = ' '.repeat(17);

/** Formats an incident as one line: severity, id, title and stages. */
export function incidentLine(paint: Paint, incident: Incident): string {
  const stages = incident.stages.map(({ tactic }) => tactic).join(' → ');
  const state = incident.state === 'open' && incident.status === 'new' ? '' : ` (${stateText(incident)})`;
  const severity = paintPriority(paint, incident.severity, incident.severity.toUpperCase().padEnd(8));
  const name = `${severity} ${paint.bold(incident.id)}${state}`;
  return `${paint.dim(timeOfDay(incident.lastSeen))} ${name} ${escapeText(incidentTitle(incident))}: ${stages}`;
}

/** Formats the timeline and response of an incident; with `evidence` also its stages, processes and alerts by rule. */
export function renderIncident(paint: Paint, file: IncidentFile, evidence = false): string {
  const { incident } = file;
  const sections: [title: string, lines: string[]][] = [['Timeline', timelineLines(paint, incident)]];
  if (evidence) {
    sections.push(['Stages', stageLines(paint, incident)]);
    sections.push(['Processes', processTree(paint, incident)]);
    sections.push(['Evidence', evidenceLines(paint, incident)]);
  }
  sections.push(['Response', responseLines(paint, file)]);
  return [
    ...headerLines(paint, incident),
    ...sections.flatMap(([title, lines]) => ['', paint.bold(`  ${title}`), ...lines]),
  ].join('\n');
}

/** Formats how far the triage has come: "closed, false positive". */
export const statusText = ({ status, verdict }: Pick<Incident, 'status' | 'verdict'>): string =>
  verdict === 'undecided' ? status : `${status}, ${verdict.replace('_', ' ')}`;

/** Formats whether the incident still grows, and how far the triage has come: "quiet, triaged". */
function stateText(incident: Incident): string {
  if (incident.state === 'merged') return `merged into ${incident.mergedInto}`;
  return `${incident.state === 'open' ? 'open' : 'quiet'}, ${statusText(incident)}`;
}

function headerLines(paint: Paint, incident: Incident): string[] {
  const { id, severity, score, hostId, firstSeen, lastSeen, container, history } = incident;
  const facts = [
    id,
    severity,
    `score ${score.toFixed(0)}`,
    stateText(incident),
    `host ${hostId}`,
    `${timeOfDay(firstSeen)} to ${timeOfDay(lastSeen)} (${durationText(lastSeen - firstSeen)})`,
  ];
  const containerFacts =
    container === null
      ? []
      : [
          `container ${container.name}`,
          `image ${container.image || 'unknown'}`,
          `${container.runtime} ${container.id}`,
        ].map(escapeText);
  return [
    paintPriority(paint, severity, `■ ${paint.bold(escapeText(incidentTitle(incident)))}`),
    paint.dim(`  ${facts.join(' · ')}`),
    ...(containerFacts.length === 0 ? [] : [paint.dim(`  ${containerFacts.join(' · ')}`)]),
    ...history.map((change) => {
      const note = change.note === '' ? '' : `: ${escapeText(change.note)}`;
      return `  ${paint.dim(timeOfDay(change.at))} ${statusText(change)} by ${escapeText(change.by)}${note}`;
    }),
  ];
}

/** Formats each event of the incident, and below it a line for each stage with the rules that matched. */
function timelineLines(paint: Paint, incident: Incident): string[] {
  const width = Math.max(0, ...incident.alerts.map((alert) => stageOf(alert).length));
  const lines = timelineOf(incident).flatMap((step) => [
    `    ${step.time === null ? '' : `${paint.dim(timeOfDay(step.time))} `}${escapeText(step.text)}`,
    ...[...Map.groupBy(step.alerts, stageOf)].map(([stage, alerts]) => {
      const rules = alerts.map((alert) => ruleText(paint, alert)).join('; ');
      return `${BELOW_TIME}${paint.cyan(stage.padEnd(width))}  ${rules}`;
    }),
    ...repeatLines(paint, step),
  ]);
  if (incident.omittedAlerts > 0)
    lines.push(paint.dim(`    ${counted(incident.omittedAlerts, 'more alert')} counted, but not listed`));
  return lines;
}

const stageOf = ({ tactics: [first = 'no stage'] }: IncidentAlert): string => first;

/** Formats the rule of an alert, with its further stages in parentheses. */
function ruleText(paint: Paint, { rule, priority, tactics }: IncidentAlert): string {
  const [, ...further] = tactics;
  const name = paintPriority(paint, priority, escapeText(rule));
  return further.length === 0 ? name : `${name} ${paint.dim(`(${further.join(', ')})`)}`;
}

function repeatLines(paint: Paint, { repeats }: TimelineStep): string[] {
  if (repeats === null) return [];
  return [paint.dim(`${BELOW_TIME}and ${repeats.count} more like it until ${timeOfDay(repeats.until).slice(0, 8)}`)];
}

function stageLines(paint: Paint, incident: Incident): string[] {
  const width = Math.max(0, ...incident.stages.map(({ tactic }) => tactic.length));
  return incident.stages.map(({ tactic, techniques, firstSeen }) => {
    const labels = [...techniques, ...formerName(tactic)].join(' ');
    return `    ${paint.dim(timeOfDay(firstSeen))} ${paint.cyan(tactic.padEnd(width))} ${paint.dim(labels)}`;
  });
}

/** Returns the name of a tactic in ATT&CK v18 if it was another one. */
function formerName(tactic: string): string[] {
  const [, former] = withV18([tactic]);
  return former === undefined ? [] : [`(v18: ${former})`];
}

/** Formats processes below their parents. Each is drawn once, because parents in hostile data may form a loop. */
function processTree(paint: Paint, incident: Incident): string[] {
  const children = Map.groupBy(incident.processes, ({ parentEntityId }) => parentEntityId);
  const known = new Set(incident.processes.map(({ entityId }) => entityId));
  const drawn = new Set<string>();
  const lines: string[] = [];
  const draw = (process: IncidentProcess, lead: string, branch: string, childLead: string): void => {
    if (drawn.has(process.entityId)) return;
    drawn.add(process.entityId);
    lines.push(`    ${lead}${branch}${processText(paint, process)}`);
    const below = children.get(process.entityId) ?? [];
    below.forEach((child, index) => {
      const isLast = index === below.length - 1;
      draw(child, lead + childLead, isLast ? '└─ ' : '├─ ', isLast ? '   ' : '│  ');
    });
  };
  for (const process of incident.processes) if (!known.has(process.parentEntityId)) draw(process, '', '', '');
  return lines;
}

function processText(paint: Paint, process: IncidentProcess): string {
  const user = process.user === '' ? '' : ` ${escapeText(process.user)}`;
  const details = `pid ${process.pid}${user}  ${escapeText(process.args).slice(0, 100)}`;
  return `${escapeText(process.executable) || 'unknown program'} ${paint.dim(details)}`;
}

/** Formats the alerts of each rule with their output, and why each belongs to the incident. */
function evidenceLines(paint: Paint, incident: Incident): string[] {
  return [...Map.groupBy(incident.alerts, ({ rule }) => rule)].flatMap(([rule, alerts]) => [
    `    ${paintPriority(paint, alerts[0]?.priority ?? '', escapeText(rule))}`,
    ...alerts.flatMap((alert) => [
      `      ${paint.dim(timeOfDay(alert.timestamp))} ${escapeText(alert.output)}`,
      paint.dim(`                   ${escapeText(alertReason(alert))}`),
    ]),
  ]);
}

function responseLines(paint: Paint, { commands, results }: IncidentFile): string[] {
  if (commands.length === 0) return [paint.dim('    no action was ordered')];
  const byId = new Map(results.map((result) => [result.id, result]));
  return commands.map((command) => {
    const result = byId.get(command.id);
    const target = `${command.action} ${escapeText(command.executable)} (pid ${command.pid})`;
    const policy = paint.dim(`policy ${escapeText(command.policy)}: ${escapeText(command.reason)}`);
    if (result === undefined) return `    ${paint.yellow('ordered')}  ${target}  ${policy}`;
    const took = `${durationText(result.at - command.issuedAt)} after the order`;
    const living = result.children > 0 ? paint.red(`, ${counted(result.children, 'descendant')} alive`) : '';
    const outcome = result.outcome === 'executed' ? paint.green('done') : paint.yellow(result.outcome);
    const reason = result.reason === '' ? '' : ` (${escapeText(result.reason)})`;
    return `    ${outcome}  ${target}${reason}, ${took}${living}  ${policy}`;
  });
}
