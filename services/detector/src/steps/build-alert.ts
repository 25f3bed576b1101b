import { eventKinds } from '@ringfence/fields';
import { type CompiledRule, fieldValues, formatOutput, type SequenceMatch } from '@ringfence/rules';
import {
  type Alert,
  alertId,
  type EventView,
  escapeText,
  type LineageProcess,
  maskSecrets,
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
 * Builds the alert of a rule about an event; of a sequence, about its last event. `now`: the event at which the alert
 * is raised, which gives it its time. If a sequence waited for an event that did not arrive, that is a tick.
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
    // Known once the alert has joined a chain: see Publisher.alert.
    ...{ incident: '', hostname: '' },
    ...UNSIGNED,
  };
}

function lineageOf(event: EventView): LineageProcess[] {
  const lineage: LineageProcess[] = [];
  for (let process = event.process; process !== undefined && lineage.length < LINEAGE_MAX; process = process.parent) {
    const { pid, start, cgroup } = process.raw;
    lineage.push({
      entityId: process.entityId,
      pid,
      start,
      executable: executableText(process),
      args: argsText(process),
      user: userText(process),
      containerId: containerIdOf(event, process),
      cgroup,
    });
  }
  return lineage;
}

/** Escaping can make a path four times as long as the kernel's limit, so it is cut. */
export const executableText = (process: ProcessInfo): string => escapeText(process.executable).slice(0, PATH_MAX);

export const argsText = (process: ProcessInfo): string =>
  escapeText(maskSecrets(process.args.join(' ')).slice(0, ARGS_MAX)).slice(0, ARGS_MAX);

export const userText = (process: ProcessInfo): string =>
  process.user === '' ? `uid ${process.euid}` : escapeText(process.user);
