import {
  type Alert,
  type Container,
  type EventView,
  escapeText,
  type IncidentReason,
  type ProcessInfo,
  processLeaf,
  u64ToHex,
} from '@ringfence/wire';
import { actionOf, processName } from '../incident/action.ts';
import type { Chain, ChainAlert, ChainContainer, ChainProcess, RuleWeight } from '../state/chain.ts';
import { argsText, executableText, userText } from '../steps/build-alert.ts';
import { containerIdOf } from './hubs.ts';

/** Techniques of a stage */
export const MAX_TECHNIQUES = 32;
const MAX_LABELS = 16;
const LABEL_MAX = 128;
const NAME_MAX = 256;
/** Longest image in the scope of a policy */
const IMAGE_MAX = 1024;
const MINUTE_US = 60_000_000;

/** Minute of event time */
export const minuteOf = (ktime: number): number => Math.floor(ktime / MINUTE_US);

const OUTPUT_MAX = 1024;

/** Returns the alert as its chain keeps it. */
export function listed(alert: Alert, entityId: string, event: EventView, reason: IncidentReason): ChainAlert {
  const { id, rule, priority, tactics, techniques, timestamp, ktime, container } = alert;
  const output = alert.output.slice(0, OUTPUT_MAX);
  const kept = { id, rule, priority, tactics, techniques, timestamp, entityId, output, reason, why: '' };
  return {
    ...kept,
    process: event.process === undefined ? null : processName(event.process),
    action: actionOf(event),
    container: container === null ? null : chainContainer(container),
    count: 1,
    lastTimestamp: timestamp,
    minute: minuteOf(ktime),
    sentInMinute: 1,
    target: targetOf(alert),
  };
}

/** The start is a copy: the original is a view of the whole batch. */
function targetOf({ bootId, lineage, cgroupPath, container }: Alert): ChainAlert['target'] {
  const [process] = lineage;
  if (process === undefined) return null;
  return { bootId, start: Buffer.from(process.start), cgroupPath, image: container?.image.slice(0, IMAGE_MAX) ?? '' };
}

/** `known`: the process before its latest exec. */
export function chainProcess(
  event: EventView,
  process: ProcessInfo,
  inChain: ReadonlyMap<string, ProcessInfo>,
  known: ChainProcess | undefined,
): ChainProcess {
  const parent = process.parent?.entityId ?? '';
  return {
    entityId: process.entityId,
    parentEntityId: inChain.has(parent) ? parent : (known?.parentEntityId ?? ''),
    execId: process.long(processLeaf.execId),
    pid: process.pid,
    executable: executableText(process),
    args: argsText(process),
    user: userText(process),
    containerId: containerIdOf(event, process),
  };
}

function chainContainer(container: Container): ChainContainer {
  const labels = Object.entries(container.labels).slice(0, MAX_LABELS);
  return {
    cgroupId: u64ToHex(container.cgroupId),
    id: container.id,
    runtime: container.runtime,
    name: escapeText(container.name).slice(0, NAME_MAX),
    image: escapeText(container.image).slice(0, NAME_MAX),
    privileged: container.privileged,
    labels: Object.fromEntries(labels.map(([name, value]) => [name.slice(0, LABEL_MAX), value.slice(0, LABEL_MAX)])),
    path: container.path,
  };
}

/** The name of a rule may be that of an inherited property, such as `constructor`. */
export const weightIn = ({ rules }: Chain, rule: string): RuleWeight | undefined =>
  Object.hasOwn(rules, rule) ? rules[rule] : undefined;

/** Returns whether the chain has a new stage, or a stage began earlier than was known. */
export function noteStages(chain: Chain, { tactics, techniques, timestamp }: Alert): boolean {
  return tactics.filter((tactic) => addStage(chain, tactic, techniques, timestamp)).length > 0;
}

/** Sorts stages by the time first seen: alerts may arrive late, and a merged chain may have reached a stage earlier. */
export function addStage(chain: Chain, tactic: string, techniques: readonly string[], firstSeen: number): boolean {
  const { stages } = chain;
  const known = stages.find((stage) => stage.tactic === tactic);
  const all = new Set([...(known?.techniques ?? []), ...techniques]);
  const stage = known ?? { tactic, techniques: [], firstSeen: Number.POSITIVE_INFINITY };
  stage.techniques = [...all].slice(0, MAX_TECHNIQUES);
  if (firstSeen >= stage.firstSeen) return false;
  stage.firstSeen = firstSeen;
  if (known === undefined) stages.push(stage);
  stages.sort((a, b) => a.firstSeen - b.firstSeen);
  return true;
}
