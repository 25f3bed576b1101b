import type { OnCgroup, OnExec } from '@ringfence/sensor';
import { parseSnapshot, procRecord, type Snapshot, transcodeAt } from '@ringfence/sensor';
import { LANE, records } from '@ringfence/wire';
import type { Batch } from './batch.ts';
import type { NextSequence } from './own-events.ts';

export interface SnapshotParts {
  readonly batch: Batch;
  readonly next: NextSequence;
  readonly seenCgroup: OnCgroup;
  readonly seenExec: OnExec;
}

/** Writes the processes that run as exec events, parents before their children; pid 1 from /proc where the kernel doesn't show it. `ktime` in µs. */
export function writeSnapshot(snapshot: Snapshot, ktime: number, parts: SnapshotParts): number {
  const { view, offsets } = snapshot;
  const hasInit = offsets.some((at) => records.headerTgid(view, at) === 1);
  const init = hasInit ? null : procRecord(1, snapshot);
  const fromProc = init === null ? 0 : write(parseSnapshot(init), ktime, parts);
  return fromProc + write(snapshot, ktime, parts);
}

function write(snapshot: Snapshot, ktime: number, { batch, next, seenCgroup, seenExec }: SnapshotParts): number {
  const { view, offsets } = snapshot;
  for (const at of offsets) {
    seenCgroup(records.headerCgroupLo(view, at), records.headerCgroupHi(view, at), ktime, true);
    seenExec(snapshot, at, ktime);
    transcodeAt(snapshot, at, { lane: LANE.context, sequence: next(LANE.context), ktime }, batch);
  }
  return offsets.length;
}
