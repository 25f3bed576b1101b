import { eventKinds } from '@ringfence/fields';
import { type CompiledRule, fieldValues, formatOutput, type SequenceMatch } from '@ringfence/rules';
import {
  type Alert,
  alertId,
  type EventView,
  escapeText,
  type LineageProcess,
  type ProcessInfo,
  UNSIGNED,
} from '@ringfence/wire';
import { containerIdOf } from '../graph/hubs.ts';

const LINEAGE_MAX = 16;
const ARGS_MAX = 512;
const PATH_MAX = 1024;
const OUTPUT_MAX = 4096;
const EVENTS_MAX = 64;

/**
 * The alert that a rule raises about an event; of a sequence about the one that completed it, or the last that happened. `now`: the one at which it
 * is raised, which gives it its time: a tick, when what was waited for has not come.
 */
export function buildAlert(
  rule: CompiledRule<EventView>,
  event: EventView,
  now: EventView,
  sequence?: SequenceMatch,
): Alert {
  const { hostId, bootId } = event.head;
  const { priority, tactics, techniques, tags, action } = rule;
  const events =
    sequence === undefined ? [event.id] : sequence.steps.flatMap((step) => step.events).slice(0, EVENTS_MAX);
  const container = event.container ?? null;
  return {
    id: alertId(rule.name, events),
    rule: rule.name,
    description: rule.description,
    priority,
    tactics,
    techniques,
    tags,
    action,
    output: formatOutput(rule, event, sequence).slice(0, OUTPUT_MAX),
    hostId,
    bootId,
    timestamp: now.timestamp,
    ktime: now.cursor.ktime,
    events,
    kind: eventKinds.names[event.cursor.kind] ?? '',
    fields: fieldValues(rule, event, sequence),
    lineage: lineageOf(event),
    container,
    cgroupPath: container?.path ?? '',
    ...UNSIGNED,
  };
}

function lineageOf(event: EventView): LineageProcess[] {
  const lineage: LineageProcess[] = [];
  for (let one = event.process; one !== undefined && lineage.length < LINEAGE_MAX; one = one.parent) {
    const { pid, start, cgroup } = one.raw;
    lineage.push({
      entityId: one.entityId,
      pid,
      start,
      executable: executableText(one),
      args: argsText(one),
      user: userText(one),
      containerId: containerIdOf(event, one),
      cgroup,
    });
  }
  return lineage;
}

/** A path of the kernel's length at most, control characters escaped, so four times that at worst: cut to what a person reads. */
export const executableText = (process: ProcessInfo): string => escapeText(process.executable).slice(0, PATH_MAX);

export const argsText = (process: ProcessInfo): string =>
  escapeText(process.args.join(' ').slice(0, ARGS_MAX)).slice(0, ARGS_MAX);

export const userText = (process: ProcessInfo): string =>
  process.raw.user === '' ? `uid ${process.raw.credentials.euid}` : escapeText(process.raw.user);
