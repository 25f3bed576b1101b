import { capabilityNames } from '@ringfence/fields';
import { bootMicros, type ContainerFact, type ContextSink, wallOffset } from '@ringfence/host-kit';
import { BpfObject } from '@ringfence/libbpf-ts';
import { readProcesses, SensorError, SNAPSHOT, SOCKETS, sizeForCpus } from '@ringfence/sensor';
import { records, u64FromBigInt } from '@ringfence/wire';
import { Cgroups } from '../containers/cgroups.ts';
import { ContainerSource } from '../containers/container-source.ts';
import type { HostRoots } from '../runtimes/description.ts';
import { mountNamespacesOf } from './mounts.ts';
import { processesOf } from './processes.ts';
import { readSockets } from './sockets.ts';
import type { Inventory, InventoryContainer, InventoryProcess } from './types.ts';

export interface InventoryOptions {
  /** the compiled sensor, of which only the iterators are loaded; nothing is attached or pinned */
  readonly sensorObject: string;
  /** directories of files that announce containers */
  readonly containerFiles: readonly string[];
  readonly roots: HostRoots;
}

/**
 * Reads the processes, sockets and mounts of this host from the kernel's own lists, which a manipulated /proc cannot
 * hide. Throws SensorError.
 */
export function readInventory(options: InventoryOptions): Inventory {
  using object = loadIterators(options.sensorObject);
  const program = object.program(SNAPSHOT);
  const sockets = readSockets(object.program(SOCKETS));
  const snapshot = readProcesses(program);
  const cgroups = lookUpCgroups(
    snapshot.offsets.map((at) => cgroupAt(snapshot.view, at)),
    options,
  );
  const isRunning = (tgid: number, start: bigint): boolean => {
    const { bytes, offsets } = readProcesses(program, { tgid });
    return offsets.some((at) => bytes.readBigUInt64LE(at + records.HEADER_START) === start);
  };
  const processes = processesOf(snapshot, {
    wallOffset: wallOffset(),
    sockets,
    cgroupOf: (id) => ({ cgroup: cgroups.paths.get(id) ?? '', container: cgroups.containers.get(id)?.id ?? null }),
    isRunning,
  });
  return {
    processes,
    mountNamespaces: mountNamespacesOf(processes),
    containers: containersOf(processes, [...cgroups.containers.values()]),
  };
}

function loadIterators(path: string): BpfObject {
  const object = BpfObject.open(path);
  for (const definition of object.definitions.values()) {
    if (definition.type === 'ringbuf') definition.resize(4096);
  }
  sizeForCpus(object, 1);
  for (const program of object.programs.values()) program.autoload = [SNAPSHOT, SOCKETS].includes(program.name);
  try {
    object.load();
    return object;
  } catch (cause) {
    object[Symbol.dispose]();
    throw new SensorError(`the iterators of ${path} can't be loaded: ${(cause as Error).message}`, { cause });
  }
}

const cgroupAt = (view: DataView, at: number): bigint =>
  (BigInt(records.headerCgroupHi(view, at)) << 32n) | BigInt(records.headerCgroupLo(view, at));

/** Both by cgroup id. */
interface CgroupLookup {
  readonly paths: ReadonlyMap<bigint, string>;
  readonly containers: ReadonlyMap<bigint, ContainerFact>;
}

function lookUpCgroups(cgroups: readonly bigint[], { containerFiles, roots }: InventoryOptions): CgroupLookup {
  const containers = new Map<bigint, ContainerFact>();
  const ignore = (): void => undefined;
  const source = new ContainerSource({
    fileDirectories: containerFiles,
    onUnsafe: ignore,
    onUnreadable: ignore,
    roots,
  });
  const tree = new Cgroups();
  try {
    source.start(sinkOf((fact) => containers.set(fact.cgroupId, fact)));
    const now = bootMicros();
    const ids = [...new Set(cgroups)];
    for (const id of ids) source.onEvent(Number(id & 0xffff_ffffn), Number(id >> 32n), now, false);
    const paths = ids.map((id) => [id, (id === 0n ? null : tree.pathOf(id)) ?? ''] as const);
    return { paths: new Map(paths), containers };
  } finally {
    tree[Symbol.dispose]();
    source.close();
  }
}

function sinkOf(container: ContextSink['container']): ContextSink {
  const ignore = (): void => undefined;
  return { container, user: ignore, mount: ignore, host: ignore, finding: ignore, throttled: ignore };
}

/** Merges the cgroups that a container created itself into one entry. */
function containersOf(processes: readonly InventoryProcess[], facts: readonly ContainerFact[]): InventoryContainer[] {
  const byId = Map.groupBy(facts, ({ id }) => id);
  return [...byId].map(([id, [fact]]) => {
    const { cgroupId: _, path, described: __, capabilities: mask, ...rest } = fact as ContainerFact;
    const capabilities = mask === null ? null : capabilityNames(u64FromBigInt(mask));
    const pids = processes.filter(({ container }) => container === id).map(({ pid }) => pid);
    return { ...rest, capabilities, cgroup: path, pids };
  });
}
