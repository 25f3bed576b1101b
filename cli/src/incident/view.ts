import { durationText, type Paint, paintPriority } from '@ringfence/base';
import { alertReason, incidentTitle, storyLines } from '@ringfence/incident-text';
import { withV18 } from '@ringfence/rules/attack';
import {
  type Alert,
  type Command,
  escapeText,
  type Incident,
  type IncidentProcess,
  type Result,
} from '@ringfence/wire';
import { timeOfDay } from '../lists/alert-view.ts';

/** An incident with all that belongs to it. */
export interface IncidentFile {
  readonly incident: Incident;
  readonly alerts: readonly Alert[];
  readonly commands: readonly Command[];
  readonly results: readonly Result[];
}

/** One line: what it is, how far it came. */
export function incidentLine(paint: Paint, incident: Incident): string {
  const stages = incident.stages.map(({ tactic }) => tactic).join(' → ');
  const shown = incident.state === 'open' && incident.status === 'new' ? '' : ` (${stateText(incident)})`;
  const severity = paintPriority(paint, incident.severity, incident.severity.toUpperCase().padEnd(8));
  return `${paint.dim(timeOfDay(incident.lastSeen))} ${severity} ${paint.bold(incident.id)}${shown} ${escapeText(incidentTitle(incident))}: ${stages}`;
}

/** The whole of it: stages, story, process tree, evidence, what was done. */
export function renderIncident(paint: Paint, file: IncidentFile): string {
  const { incident } = file;
  return [
    paintPriority(paint, incident.severity, `■ ${paint.bold(escapeText(incidentTitle(incident)))}`),
    paint.dim(
      `  ${incident.id} · ${incident.severity} · score ${incident.score.toFixed(0)} · ${stateText(incident)} · host ${incident.hostId} · ${duration(incident)}`,
    ),
    ...container(paint, incident),
    ...history(paint, incident),
    '',
    paint.bold('  Stages'),
    ...stages(paint, incident),
    '',
    paint.bold('  What happened'),
    ...storyLines(incident).map((sentence) => `    ${escapeText(sentence)}`),
    '',
    paint.bold('  Processes'),
    ...tree(paint, incident),
    '',
    paint.bold('  Evidence'),
    ...evidence(paint, incident),
    '',
    paint.bold('  Response'),
    ...response(paint, file),
  ].join('\n');
}

/** "closed, false positive" */
export const statusText = ({ status, verdict }: Pick<Incident, 'status' | 'verdict'>): string =>
  verdict === 'undecided' ? status : `${status}, ${verdict.replace('_', ' ')}`;

/** Whether it still grows, and how far people and the responder have come with it: "quiet, triaged". */
function stateText(incident: Incident): string {
  if (incident.state === 'merged') return `merged into ${incident.mergedInto}`;
  return `${incident.state === 'open' ? 'open' : 'quiet'}, ${statusText(incident)}`;
}

function history(paint: Paint, incident: Incident): string[] {
  return incident.history.map(
    (change) =>
      `  ${paint.dim(timeOfDay(change.at))} ${statusText(change)} by ${escapeText(change.by)}${change.note === '' ? '' : `: ${escapeText(change.note)}`}`,
  );
}

function duration(incident: Incident): string {
  const { firstSeen, lastSeen } = incident;
  return `${timeOfDay(firstSeen)} to ${timeOfDay(lastSeen)} (${durationText(lastSeen - firstSeen)})`;
}

function container(paint: Paint, { container: one }: Incident): string[] {
  if (one === null) return [];
  return [
    paint.dim(
      `  container ${escapeText(one.name)} · image ${escapeText(one.image || 'unknown')} · ${escapeText(one.runtime)} ${escapeText(one.id)}`,
    ),
  ];
}

function stages(paint: Paint, incident: Incident): string[] {
  const width = Math.max(0, ...incident.stages.map(({ tactic }) => tactic.length));
  return incident.stages.map(
    ({ tactic, techniques, firstSeen }) =>
      `    ${paint.dim(timeOfDay(firstSeen))} ${paint.cyan(tactic.padEnd(width))} ${paint.dim([...techniques, ...formerly(tactic)].join(' '))}`,
  );
}

/** What ATT&CK v18 called it, if it was called otherwise. */
function formerly(tactic: string): string[] {
  const [, old] = withV18([tactic]);
  return old === undefined ? [] : [`(v18: ${old})`];
}

/** Processes under their parents. Each is drawn once, so that a loop in hostile data ends. */
function tree(paint: Paint, incident: Incident): string[] {
  const children = Map.groupBy(incident.processes, ({ parentEntityId }) => parentEntityId);
  const known = new Set(incident.processes.map(({ entityId }) => entityId));
  const drawn = new Set<string>();
  const lines: string[] = [];
  const draw = (process: IncidentProcess, lead: string, branch: string, rest: string): void => {
    if (drawn.has(process.entityId)) return;
    drawn.add(process.entityId);
    lines.push(`    ${lead}${branch}${processText(paint, process)}`);
    const below = children.get(process.entityId) ?? [];
    below.forEach((child, index) => {
      const last = index === below.length - 1;
      draw(child, lead + rest, last ? '└─ ' : '├─ ', last ? '   ' : '│  ');
    });
  };
  for (const process of incident.processes) if (!known.has(process.parentEntityId)) draw(process, '', '', '');
  return lines;
}

function processText(paint: Paint, process: IncidentProcess): string {
  const user = process.user === '' ? '' : ` ${escapeText(process.user)}`;
  return `${escapeText(process.executable)} ${paint.dim(`pid ${process.pid}${user}  ${escapeText(process.args).slice(0, 100)}`)}`;
}

function evidence(paint: Paint, incident: Incident): string[] {
  const lines = incident.alerts.flatMap((alert) => [
    `    ${paint.dim(timeOfDay(alert.timestamp))} ${paintPriority(paint, alert.priority, escapeText(alert.rule))}  ${escapeText(alert.output)}`,
    paint.dim(`                 ${escapeText(alertReason(alert))}`),
  ]);
  if (incident.omittedAlerts > 0) lines.push(paint.dim(`    and ${incident.omittedAlerts} more of the same`));
  return lines;
}

function response(paint: Paint, { commands, results }: IncidentFile): string[] {
  if (commands.length === 0) return [paint.dim('    nothing was ordered')];
  const byId = new Map(results.map((result) => [result.id, result]));
  return commands.map((command) => {
    const result = byId.get(command.id);
    const target = `${command.action} ${escapeText(command.executable)} (pid ${command.pid})`;
    const policy = paint.dim(`policy ${escapeText(command.policy)}: ${escapeText(command.reason)}`);
    if (result === undefined) return `    ${paint.yellow('ordered')}  ${target}  ${policy}`;
    const took = `${durationText(result.at - command.issuedAt)} after the order`;
    const outcome = result.outcome === 'executed' ? paint.green('done') : paint.yellow(result.outcome);
    const reason = result.reason === '' ? '' : ` (${escapeText(result.reason)})`;
    return `    ${outcome}  ${target}${reason}, ${took}  ${policy}`;
  });
}
