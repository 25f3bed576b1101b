import { setTimeout as sleep } from 'node:timers/promises';
import type { Hold } from '@ringfence/auditor';
import { OperatorError } from '@ringfence/base';
import type { App } from '../app.ts';
import { auditOf } from './incident.ts';

const DEADLINE_MS = 15_000;

/**
 * Waits until the auditor has applied the hold or release that this record asks for. Throws OperatorError when it
 * refuses, or this store has no holds.
 */
export async function appliedHold(app: App, incident: string, recordId: string, signal: AbortSignal): Promise<Hold> {
  const audit = auditOf(app);
  if (audit.hold(incident) === undefined)
    throw new OperatorError(
      'this trail is in a cluster, which removes events by its own retention: take a snapshot of the logs-* streams, or raise auditor.eventRetention',
    );
  for (const deadline = AbortSignal.timeout(DEADLINE_MS); !deadline.aborted && !signal.aborted; await sleep(50)) {
    const hold = audit.hold(incident);
    if (hold?.action !== recordId) continue;
    if (hold.state === 'refused') throw new OperatorError(`the auditor refused it: ${hold.reason}`);
    return hold;
  }
  throw new OperatorError(`the auditor has not applied it after ${DEADLINE_MS / 1000} s: check ringfence status`);
}
