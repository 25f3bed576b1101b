import { join } from 'node:path';
import { openEmbeddedBus } from '@ringfence/bus';
import { type EventCursor, KIND, LANE, leaf, RawBatchReader, records, TOPIC } from '@ringfence/wire';

/** Events of one cgroup that the agent reported. */
export interface Seen {
  /** Numbers of the bystander's executions from memory */
  readonly execs: Set<number>;
  /** How many of them are slim */
  slimExecs: number;
  opens: number;
  connects: number;
  /** Records of the security lane */
  kept: number;
  /** Those of `kept` with shortened texts */
  slim: number;
  /** Lost events, as the last `throttled` event of the security lane names them */
  named: number;
}

export interface Actions {
  /** File that the bystander opens */
  readonly secret: string;
  /** Port that it connects to */
  readonly port: number;
}

/** Returns the events of each of the cgroups on the bus of a stopped agent. */
export async function readSeen(
  stateDir: string,
  cgroups: Iterable<bigint>,
  actions: Actions,
): Promise<ReadonlyMap<bigint, Seen>> {
  const empty = (): Seen => ({ execs: new Set(), slimExecs: 0, opens: 0, connects: 0, kept: 0, slim: 0, named: 0 });
  const all = new Map([...cgroups].map((id) => [id, empty()]));
  await using bus = await openEmbeddedBus({ path: join(stateDir, 'bus.db') });
  const batch = new RawBatchReader();
  for await (const { value } of bus.read({ topic: TOPIC.raw })) {
    batch.open(value as Buffer);
    const { cursor } = batch;
    while (batch.next()) {
      const seen = all.get(cursor.buffer.readBigUInt64LE(cursor.cgroupAt));
      if (seen !== undefined) add(seen, cursor, actions);
    }
  }
  return all;
}

function add(seen: Seen, cursor: EventCursor, { secret, port }: Actions): void {
  if (cursor.lane === LANE.security) {
    seen.kept++;
    if (isSlim(cursor)) seen.slim++;
  }
  switch (cursor.kind) {
    case KIND.Exec:
      if ((cursor.leafLong(leaf.Exec.flags) & records.ExecFlag.EXEC_MEMFD) === 0) return;
      seen.execs.add(Number(cursor.leafTexts(leaf.Exec.argvBytes)[1]));
      if (isSlim(cursor)) seen.slimExecs++;
      return;
    case KIND.Open:
      if (cursor.leafText(leaf.Open.pathBytes) === secret) seen.opens += cursor.leafLong(leaf.Open.count);
      return;
    case KIND.Connect:
      if (cursor.leafLong(leaf.Connect.port) === port) seen.connects += cursor.leafLong(leaf.Connect.count);
      return;
    case KIND.Throttled:
      if (cursor.leafLong(leaf.Throttled.ofLane) === LANE.security)
        seen.named = Math.max(seen.named, cursor.leafLong(leaf.Throttled.total));
  }
}

/** Whether the record's texts were shortened because its cgroup was over its share. */
function isSlim(cursor: EventCursor): boolean {
  switch (cursor.kind) {
    case KIND.Exec:
      return (cursor.leafLong(leaf.Exec.flags) & records.ExecFlag.EXEC_SLIM) !== 0;
    case KIND.MountChange:
      return cursor.leafLength(leaf.MountChange.sourceBytes) < cursor.leafLong(leaf.MountChange.sourceLength);
    case KIND.Bpf:
      return cursor.leafLength(leaf.Bpf.nameBytes) < cursor.leafLong(leaf.Bpf.nameLength);
    default:
      return false;
  }
}
