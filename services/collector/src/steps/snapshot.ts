import { type OnCgroup, type OnExec, parseSnapshot, procRecord, type Snapshot, transcodeAt } from '@ringfence/sensor';
import { LANE, records } from '@ringfence/wire';
import type { Batch } from '../delivery/batch.ts';
import type { NextSequence } from './agent-events.ts';

export interface SnapshotParts {
  readonly batch: Batch;
  readonly next: NextSequence;
  readonly seenCgroup: OnCgroup;
  readonly seenExec: OnExec;
}

/**
 * Writes the running processes as exec events, parents before their children. Reads pid 1 from /proc when the kernel
 * does not show it. `ktime` is the events' time, µs.
 */
export function writeSnapshot(snapshot: Snapshot, ktime: number, parts: SnapshotParts): void {
  const { view, offsets } = snapshot;
  const hasInit = offsets.some((at) => records.headerTgid(view, at) === 1);
  const init = hasInit ? null : procRecord(1, snapshot);
  if (init !== null) write(parseSnapshot(init), ktime, parts);
  write(snapshot, ktime, parts);
}

function write(snapshot: Snapshot, ktime: number, { batch, next, seenCgroup, seenExec }: SnapshotParts): void {
  const { view, offsets } = snapshot;
  for (const at of offsets) {
    seenCgroup(records.headerCgroupLo(view, at), records.headerCgroupHi(view, at), ktime, true);
    seenExec(snapshot, at, ktime);
    transcodeAt(snapshot, at, { lane: LANE.context, sequence: next(LANE.context), ktime }, batch);
  }
}
