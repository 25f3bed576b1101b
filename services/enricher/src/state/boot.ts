import { SequenceTracker, u64High, u64Low, u64ToHex } from '@ringfence/wire';
import type { CompiledEnricherOptions } from '../config.ts';
import { Contexts, type KnownContainer } from './contexts.ts';
import { type FileHash, KnownHashes } from './known-hashes.ts';
import { KnownNames } from './known-names.ts';
import type { Image, ProcessEntry, Script } from './process.ts';
import { ProcessTable } from './process-table.ts';
import { WrittenFiles } from './written-files.ts';

/** One lane and CPU of a run: the numbers that have arrived, and the counters of losses. */
export interface Lane {
  readonly tracker: SequenceTracker;
  /** lost records by cause, as last sent */
  drops: Readonly<Record<string, number>>;
  /** the part of `drops` that has been reported as the reason of a gap */
  explained: Readonly<Record<string, number>>;
}

/** The last tick of a boot. */
export interface LastTick {
  /** hex */
  readonly run: string;
  readonly sequence: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** the agent announced its end */
  readonly isFinal: boolean;
}

/** Lanes of one run, by lane * 65536 + cpu. */
export type Run = Map<number, Lane>;

const MAX_RUNS = 4;
const MAX_LANES = 16_384;

/** State of one boot of one host. */
export class Boot {
  readonly hostId: string;
  readonly bootId: string;
  readonly processes: ProcessTable;
  readonly contexts: Contexts;
  readonly writes: WrittenFiles;
  readonly hashes: KnownHashes = new KnownHashes();
  readonly names: KnownNames = new KnownNames();
  /** whether its agent hashes executables */
  hashing = false;
  /** by run id in hex, the most recently used last */
  readonly runs: Map<string, Run> = new Map<string, Run>();
  /** number of ticks: the clock of all timers */
  tick = 0;
  /** null: no tick yet */
  last: LastTick | null = null;
  /** last sequence number of the gap lane */
  gapSequence = 0;
  /** number of its last batch among the batches of the partition */
  lastActive = 0;
  /** input partition of its batches */
  partition = 0;
  /** µs to add to a ktime to get the wall clock, as last sent */
  wallOffset = 0;
  /** lanes of any run that were evicted */
  lanesForgotten = 0;
  /** entries that are too large for a record of the store: a restart loses them */
  notPersisted = 0;
  /** version of the interest that its last batch was filtered with; null: no batch since the service started */
  interest: number | null = null;

  constructor(hostId: string, bootId: string, options: CompiledEnricherOptions) {
    this.hostId = hostId;
    this.bootId = bootId;
    this.processes = new ProcessTable(options.maxProcesses, options.keptTicks);
    this.contexts = new Contexts(options.keptTicks);
    this.writes = new WrittenFiles(options.writtenFiles);
  }

  /** Returns the current container of the process. */
  containerOf(process: ProcessEntry): KnownContainer | null {
    if (process.containerEpoch !== this.contexts.epoch) {
      process.container = this.contexts.containers.get(u64ToHex(process.cgroup)) ?? null;
      process.containerEpoch = this.contexts.epoch;
    }
    return process.container;
  }

  /**
   * Returns the container of an event of `process` whose cgroup is `bytes[at, at + 8)`. An event without a cgroup is in
   * the container of its process.
   */
  containerAt(process: ProcessEntry, bytes: Buffer, at: number): KnownContainer | null {
    const low = u64Low(bytes, at);
    const high = u64High(bytes, at);
    const same = (low === process.cgroupLow && high === process.cgroupHigh) || (low === 0 && high === 0);
    return same ? this.containerOf(process) : (this.contexts.containers.get(u64ToHex(bytes, at)) ?? null);
  }

  /** Looks up a pending hash again: a fork may share an image that its parent got before the hash arrived. */
  hashOf({ hash, device, inode, ctime }: Image | Script): FileHash {
    return hash.state === 'pending' ? (this.hashes.find(device, inode, ctime) ?? hash) : hash;
  }

  /** Shrinks the state of lanes: evicts the least recently used run, or merges holes, or evicts half of the lanes. */
  forgetLanes(): void {
    const [oldest] = this.runs;
    if (oldest === undefined) return;
    const [id, run] = oldest;
    if (this.runs.size > 1) {
      this.runs.delete(id);
      this.lanesForgotten += run.size;
      return;
    }
    const lanes = [...run];
    const holes = lanes.reduce((most, [, { tracker }]) => Math.max(most, tracker.state.holes.length), 0);
    if (holes > 1) for (const [, { tracker }] of lanes) tracker.coarsen(holes >>> 1);
    else {
      for (const [key] of lanes.slice(0, Math.ceil(lanes.length / 2))) run.delete(key);
      this.lanesForgotten += Math.ceil(lanes.length / 2);
    }
  }

  /** Returns the lanes of the run, which may be new. */
  run(id: string): Run {
    // Moved to the end on each use: the run of the log lines stays for long, while those of the sensor are replaced.
    const run: Run = this.runs.get(id) ?? new Map();
    this.runs.delete(id);
    this.runs.set(id, run);
    if (this.runs.size > MAX_RUNS) {
      const [oldest] = this.runs.keys();
      this.runs.delete(oldest as string);
    }
    return run;
  }
}

/** Returns the lane, which may be new; undefined if there are more lanes than any machine has. */
export function laneOf(run: Run, lane: number, cpu: number): Lane | undefined {
  const key = lane * 65_536 + cpu;
  let found = run.get(key);
  if (found === undefined) {
    if (run.size >= MAX_LANES) return undefined;
    found = { tracker: new SequenceTracker(), drops: {}, explained: {} };
    run.set(key, found);
  }
  return found;
}
