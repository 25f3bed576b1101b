import type { Log } from '@ringfence/base';
import type { OnCgroup } from '@ringfence/sensor';
import { transcodeAt } from '@ringfence/sensor';
import { decodeText, LANE, nanosToMicros, records } from '@ringfence/wire';
import type { Batch } from './batch.ts';
import type { NextSequence } from './own-events.ts';

export interface TamperingParts {
  readonly batch: Batch;
  readonly next: NextSequence;
  readonly seenCgroup: OnCgroup;
  readonly log: Log;
}

const names = new Map(
  Object.entries(records.TamperingOperation).map(([name, value]) => [value as number, name.toLowerCase()]),
);

/** What was done to the agent (struct rf_tampering_entry each): an event of who did it, at the time when it was done. */
export function writeTampering(entries: readonly Buffer[], { batch, next, seenCgroup, log }: TamperingParts): void {
  for (const bytes of entries) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const ktime = nanosToMicros(bytes, records.HEADER_KTIME);
    const pid = records.headerTgid(view, 0);
    if (pid > 0) seenCgroup(records.headerCgroupLo(view, 0), records.headerCgroupHi(view, 0), ktime, false);
    transcodeAt({ view, bytes }, 0, { lane: LANE.context, sequence: next(LANE.context), ktime }, batch);
    const what = names.get(records.tamperingOperation(view, 0)) ?? 'unknown';
    const by = { pid, uid: records.tamperingUid(view, 0), executable: text(view, bytes, records.TAMPERING_EXECUTABLE) };
    log.warn({ what, detail: records.tamperingDetail(view, 0), by }, 'something was done to the agent or its sensor');
  }
}

function text(view: DataView, bytes: Buffer, at: number): string {
  const from = records.textOffset(view, at);
  return decodeText(bytes, from, from + records.textKept(view, at));
}
