import { capabilityNames } from '@ringfence/fields';
import type { ContainerFact, ContextSink } from '@ringfence/host-kit';
import { bootMicros, wallOffset } from '@ringfence/host-kit';
import { BpfObject } from '@ringfence/libbpf-ts';
import { readProcesses, SensorError, SNAPSHOT, SOCKETS, sizeForCpus } from '@ringfence/sensor';
import { records, u64FromBigInt } from '@ringfence/wire';
import { Cgroups } from '../context/cgroups.ts';
import { ContainerSource } from '../context/containers.ts';
import type { HostPlaces } from '../context/description.ts';
import { mountNamespacesOf } from './mounts.ts';
import { processesOf } from './processes.ts';
import { readSockets } from './sockets.ts';
import type { Inventory, InventoryContainer, InventoryProcess } from './types.ts';

export interface InventoryOptions {
  /** the sensor as it was built: only its iterators are loaded, nothing is attached or pinned */
  readonly sensorObject: string;
  /** directories of files that announce containers */
  readonly containerFiles: readonly string[];
  readonly places: HostPlaces;
}

/** What runs on this host, what it has open, what it has mounted: as the kernel's own lists say, whatever /proc is made to hide. Throws SensorError. */
export function readInventory(options: InventoryOptions): Inventory {
  using object = loadIterators(options.sensorObject);
  const program = object.program(SNAPSHOT);
  const sockets = readSockets(object.program(SOCKETS));
  const snapshot = readProcesses(program);
  const places = placesOf(
    snapshot.offsets.map((at) => cgroupAt(snapshot.view, at)),
    options,
  );
  const lives = (tgid: number, start: bigint): boolean => {
    const { bytes, offsets } = readProcesses(program, { tgid });
    return offsets.some((at) => bytes.readBigUInt64LE(at + records.HEADER_START) === start);
  };
  const processes = processesOf(snapshot, {
    wallOffset: wallOffset(),
    sockets,
    placeOf: (cgroup) => ({ cgroup: places.paths.get(cgroup) ?? '', container: places.facts.get(cgroup)?.id ?? null }),
    lives,
  });
  return {
    processes,
    mountNamespaces: mountNamespacesOf(processes),
    containers: containersOf(processes, [...places.facts.values()]),
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

interface Places {
  readonly paths: ReadonlyMap<bigint, string>;
  readonly facts: ReadonlyMap<bigint, ContainerFact>;
}

function placesOf(cgroups: readonly bigint[], { containerFiles, places }: InventoryOptions): Places {
  const facts = new Map<bigint, ContainerFact>();
  const source = new ContainerSource({ fileDirectories: containerFiles, onUnsafe: () => undefined, places });
  const tree = new Cgroups();
  try {
    source.start(sinkOf((fact) => facts.set(fact.cgroupId, fact)));
    const now = bootMicros();
    const all = [...new Set(cgroups)];
    for (const id of all) source.seen(Number(id & 0xffff_ffffn), Number(id >> 32n), now, false);
    const paths = all.map((id) => [id, (id === 0n ? null : tree.pathOf(id)) ?? ''] as const);
    return { paths: new Map(paths), facts };
  } finally {
    tree[Symbol.dispose]();
    source.close();
  }
}

function sinkOf(container: ContextSink['container']): ContextSink {
  const ignore = (): void => undefined;
  return { container, user: ignore, mount: ignore, host: ignore, finding: ignore, throttled: ignore };
}

/** A container may have cgroups of its own making: one entry for all of them. */
function containersOf(processes: readonly InventoryProcess[], facts: readonly ContainerFact[]): InventoryContainer[] {
  const byId = Map.groupBy(facts, ({ id }) => id);
  return [...byId].map(([id, [fact]]) => {
    const { cgroupId: _, path, described: __, capabilities: mask, ...rest } = fact as ContainerFact;
    const capabilities = mask === null ? null : capabilityNames(u64FromBigInt(mask));
    const pids = processes.filter(({ container }) => container === id).map(({ pid }) => pid);
    return { ...rest, capabilities, cgroup: path, pids };
  });
}
