import type { Incident, IncidentAlert } from '@ringfence/wire';

/** An event of an incident with the alerts that it raised. */
export interface TimelineStep {
  /** µs since the epoch; whole seconds if the step has no alert. */
  readonly at: number;
  readonly text: string;
  readonly alerts: readonly IncidentAlert[];
  /** Number of similar events after this one, and µs since the epoch of the last. */
  readonly repeats: { readonly count: number; readonly until: number } | null;
}

const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;

/**
 * Joins the lines of an incident's story with the alerts that they name. A line that names an unlisted alert keeps its
 * text; an alert that no line names becomes a step of its own.
 */
export function timelineOf({ story, alerts, firstSeen }: Incident): TimelineStep[] {
  const unassigned = new Set(alerts);
  const steps: TimelineStep[] = [];
  let earliest = Math.floor(firstSeen / SECOND) * SECOND;
  for (const line of story) {
    const [, clock, text = line] = /^(\d\d:\d\d:\d\d) (.*)$/s.exec(line) ?? [];
    const second = clock === undefined ? earliest : timeAfter(earliest, clock);
    const candidates = [...unassigned].filter(({ timestamp }) => Math.floor(timestamp / SECOND) * SECOND === second);
    const step = splitLine(text, second, candidates);
    for (const alert of step.alerts) unassigned.delete(alert);
    steps.push(step);
    earliest = second;
  }
  for (const alert of unassigned) {
    const step = { at: alert.timestamp, text: alert.output, alerts: [alert], repeats: null };
    const index = steps.findIndex(({ at }) => at > alert.timestamp);
    steps.splice(index === -1 ? steps.length : index, 0, step);
  }
  return steps;
}

/** Returns the first time at or after `earliest` that has this UTC time of day: lines of a story have no date. */
function timeAfter(earliest: number, clock: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = clock.split(':').map(Number);
  const at = Math.floor(earliest / DAY) * DAY + (hours * 3600 + minutes * 60 + seconds) * SECOND;
  return at < earliest ? at + DAY : at;
}

/** Splits "EVENT: RULE (LABELS); RULE (LABELS); 3 more like it until 14:02:11". The rules are those of `candidates`. */
function splitLine(line: string, second: number, candidates: readonly IncidentAlert[]): TimelineStep {
  const whole = { at: second, text: line, alerts: [], repeats: null };
  const [, head = '', count, until = ''] = /^(.*?)(?:; (\d+) more like it until (\d\d:\d\d:\d\d))?$/s.exec(line) ?? [];
  const colon = rulesStart(head, candidates);
  if (colon === -1) return whole;
  let rules = `; ${head.slice(colon + 2)}`;
  const alerts = candidates.filter(({ rule }) => {
    const rest = rules.replace(ruleEntry(rule), '');
    const isNamed = rest !== rules;
    rules = rest;
    return isNamed;
  });
  const [first] = alerts;
  if (first === undefined || rules !== '') return whole;
  const repeats = count === undefined ? null : { count: Number(count), until: timeAfter(second, until) };
  return { at: first.timestamp, text: head.slice(0, colon), alerts, repeats };
}

/** Returns the index of the last ": " before a rule of `candidates`, or -1. The event may contain ": " as well. */
function rulesStart(text: string, candidates: readonly IncidentAlert[]): number {
  for (let index = text.lastIndexOf(': '); index > 0; index = text.lastIndexOf(': ', index - 1)) {
    const rules = `; ${text.slice(index + 2)}`;
    if (candidates.some(({ rule }) => rules.search(ruleEntry(rule)) === 0)) return index;
  }
  return -1;
}

/** Matches a rule with its labels in a list of rules: "; Reverse shell (execution, T1059.004)". */
function ruleEntry(rule: string): RegExp {
  const escaped = rule.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`; ${escaped}(?: \\([^()]*\\))?(?=; |$)`);
}
