import type { HashFact, HashSink } from '@ringfence/host-facts';
import type { ContainerFact, ContextSink, Finding, HostFact, MountFact, ThrottledCount } from '@ringfence/host-kit';
import { type AvroWriter, KIND, LANE, U64_ZERO, u64FromBigInt } from '@ringfence/wire';
import type { Batch } from '../delivery/batch.ts';

const NO_BYTES = Buffer.alloc(0);

/** Takes the next sequence number of one of the agent's lanes. */
export type NextSequence = (lane: typeof LANE.tick | typeof LANE.context) => number;

/** Writes the events that the agent makes itself, ticks and facts of the host, into the current batch. */
export class AgentEvents implements ContextSink, HashSink {
  /** Time of the context events, µs, CLOCK_BOOTTIME */
  ktime = 0;
  readonly #batch: Batch;
  readonly #next: NextSequence;

  constructor(batch: Batch, next: NextSequence) {
    this.#batch = batch;
    this.#next = next;
  }

  /** `isLast` announces that the agent stops cleanly. */
  tick(ktime: number, wallOffset: number, isLast: boolean): void {
    const out = this.#begin(LANE.tick, ktime, KIND.Tick);
    out.long(wallOffset);
    out.boolean(isLast);
  }

  user(uid: number, name: string): void {
    const out = this.#begin(LANE.context, this.ktime, KIND.UserContext);
    out.long(uid);
    out.string(name);
  }

  container(container: ContainerFact): void {
    const out = this.#begin(LANE.context, this.ktime, KIND.ContainerContext);
    out.fixed(u64FromBigInt(container.cgroupId), 0, 8);
    out.string(container.id);
    out.string(container.runtime);
    out.string(container.name);
    out.string(container.image);
    out.ensure(16);
    out.long(container.privileged === null ? 0 : 1);
    if (container.privileged !== null) out.boolean(container.privileged);
    writeMap(out, container.labels);
    out.string(container.path);
    writeDetails(out, container);
  }

  mount(mount: MountFact): void {
    const out = this.#begin(LANE.context, this.ktime, KIND.MountContext);
    out.long(mount.mountNamespace);
    out.long(mount.device);
    out.bytes(mount.root, 0, mount.root.length);
    out.bytes(mount.point, 0, mount.point.length);
    out.string(mount.filesystem);
    out.bytes(mount.source, 0, mount.source.length);
    out.string(mount.options);
  }

  host({ hostname, machineId, addresses, hashing }: HostFact): void {
    const out = this.#begin(LANE.context, this.ktime, KIND.HostContext);
    out.string(hostname);
    out.string(machineId);
    out.string(addresses.join(' '));
    out.ensure(1);
    out.boolean(hashing);
  }

  finding({ check, subject, detail, list = '' }: Finding): void {
    const out = this.#begin(LANE.context, this.ktime, KIND.Finding);
    out.string(check);
    out.string(subject);
    out.string(detail);
    out.string(list);
  }

  /** Names the process whose exec asked for the hash, if any, without its cgroup, which it may have left since. */
  hash({ device, inode, ctime, path, pathLength, size, sha256, skipped, lasting, process }: HashFact): void {
    const out = this.#begin(LANE.context, this.ktime, KIND.Hash, process);
    out.fixed(u64FromBigInt(inode), 0, 8);
    out.long(device);
    out.long(Number(ctime / 1000n));
    out.long(size);
    out.bytes(sha256 ?? NO_BYTES, 0, sha256?.length ?? 0);
    out.string(skipped ?? '');
    out.ensure(1);
    out.boolean(lasting);
    out.bytes(path, 0, path.length);
    out.ensure(8);
    out.long(pathLength);
    out.boolean(process?.script === true);
  }

  throttled({ cgroup, lane, kind, count, cause, path, total, over }: ThrottledCount): void {
    const out = this.#begin(LANE.context, this.ktime, KIND.Throttled, null, u64FromBigInt(cgroup));
    out.long(lane);
    out.string(kind);
    out.ensure(10);
    out.long(count);
    out.string(cause);
    out.string(path);
    out.ensure(20);
    out.long(total);
    out.boolean(over);
  }

  #begin(
    lane: typeof LANE.tick | typeof LANE.context,
    ktime: number,
    kind: number,
    process: HashFact['process'] = null,
    cgroup: Buffer = U64_ZERO,
  ): AvroWriter {
    const tgid = process?.tgid ?? 0;
    const sequence = this.#next(lane);
    const out = this.#batch.begin({ lane, cpu: 0, sequence, ktime, late: false, tgid, tid: tgid });
    out.fixed(process?.start ?? U64_ZERO, 0, 8);
    out.fixed(cgroup, 0, 8);
    out.long(process?.execId ?? 0);
    out.long(kind);
    return out;
  }
}

function writeDetails(out: AvroWriter, container: ContainerFact): void {
  out.string(container.imageId);
  writeArray(out, container.imageDigests, (digest) => out.string(digest));
  out.ensure(16);
  out.long(container.capabilities === null ? 0 : 1);
  if (container.capabilities !== null) out.fixed(u64FromBigInt(container.capabilities), 0, 8);
  writeArray(out, container.mounts, ({ source, destination, readonly }) => {
    out.string(source);
    out.string(destination);
    out.ensure(1);
    out.boolean(readonly);
  });
  writeArray(out, container.namespaces, (namespace) => out.string(namespace));
  out.string(container.pod);
  out.string(container.podUid);
  out.string(container.namespace);
  out.string(container.serviceAccount);
  writeMap(out, container.podLabels);
  out.ensure(16);
  out.long(container.startedAt);
  out.boolean(container.described);
}

function writeArray<T>(out: AvroWriter, items: readonly T[], write: (item: T) => void): void {
  out.ensure(16);
  if (items.length > 0) out.long(items.length);
  for (const item of items) write(item);
  out.ensure(1);
  out.long(0);
}

function writeMap(out: AvroWriter, map: Readonly<Record<string, string>>): void {
  const entries = Object.entries(map);
  out.ensure(16);
  if (entries.length > 0) out.long(entries.length);
  for (const [key, value] of entries) {
    out.string(key);
    out.string(value);
  }
  out.ensure(1);
  out.long(0);
}
