import type { ItemOf } from '../../sink.ts';
import { baseEvent, deviceOf, type EventClass, type Ocsf, otherStatus } from './common.ts';
import { processOf } from './process.ts';

const EVICT = 2;
const PROFILES = ['host'];
const REMEDIATION: EventClass = { uid: 7001, name: 'Remediation Activity', activity: 0, profiles: PROFILES };
const OF_PROCESS: EventClass = { uid: 7003, name: 'Process Remediation Activity', activity: 0, profiles: PROFILES };

/** What D3FEND calls the actions. */
const COUNTERMEASURES: Readonly<Record<string, { readonly activity: number; readonly technique: Ocsf }>> = {
  kill: { activity: EVICT, technique: { uid: 'D3-PT', name: 'Process Termination' } },
};

const STATUS: Readonly<Record<string, Ocsf>> = {
  executed: { status_id: 1, status: 'Success' },
  refused: { status_id: 2, status: 'Failure' },
  expired: { status_id: 2, status: 'Failure' },
  gone: { status_id: 3, status: 'Does Not Exist' },
  failed: { status_id: 6, status: 'Error' },
};

/** An order as a Process Remediation Activity (7003), or a Remediation Activity (7001) when it is of no process. */
export function orderedRemediation(item: ItemOf<'command'>): Ocsf {
  const { document } = item;
  const process = processOf(item);
  const { activity = 0, technique } = COUNTERMEASURES[String(document['ringfence.command.action'])] ?? {};
  const eventClass = Object.keys(process).length === 0 ? REMEDIATION : OF_PROCESS;
  return {
    ...remediation(item, { ...eventClass, activity }),
    ...otherStatus(document['ringfence.command.mode'] === 'observe' ? 'Observed' : 'Ordered'),
    process,
    countermeasures: technique === undefined ? [] : [{ d3f_tactic: { name: 'Evict' }, d3f_technique: technique }],
  };
}

/** A result as a Remediation Activity (7001). It names its order, which has the process. */
export function finishedRemediation(item: ItemOf<'result'>): Ocsf {
  const outcome = String(item.document['ringfence.result.outcome'] ?? 'unknown');
  return { ...remediation(item, REMEDIATION), ...(STATUS[outcome] ?? otherStatus(outcome)) };
}

function remediation(item: ItemOf<'command'> | ItemOf<'result'>, eventClass: EventClass): Ocsf {
  const { document, id } = item;
  return {
    ...baseEvent(item, eventClass),
    command_uid: document['ringfence.command.id'] ?? id,
    status_detail: document['event.reason'],
    device: deviceOf(item),
  };
}
