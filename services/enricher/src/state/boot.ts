import { SequenceTracker, u64High, u64Low, u64ToHex } from '@ringfence/wire';
import type { CompiledEnricherOptions } from '../config.ts';
import { Contexts, type KnownContainer } from './contexts.ts';
import { type FileHash, KnownHashes } from './known-hashes.ts';
import { KnownNames } from './known-names.ts';
import type { Image, ProcessEntry, Script } from './process.ts';
import { ProcessTable } from './process-table.ts';
import { WrittenFiles } from './written-files.ts';

/** One lane and CPU of a run: what has arrived, and what the loss counters explain. */
export interface Lane {
  readonly tracker: SequenceTracker;
  /** by cause; as last sent */
  drops: Readonly<Record<string, number>>;
  /** by cause; how much of each has been told as the reason of a gap */
  explained: Readonly<Record<string, number>>;
}

/** The last tick that a boot has sent. */
export interface LastTick {
  /** hex */
  readonly run: string;
  readonly sequence: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** the agent ended in order */
  readonly left: boolean;
}

/** Lanes of one run by lane * 65536 + cpu. */
export type Run = Map<number, Lane>;

const MAX_RUNS = 4;
const MAX_LANES = 16_384;

/** All that is remembered of one boot of one host. */
export class Boot {
  readonly hostId: string;
  readonly bootId: string;
  readonly processes: ProcessTable;
  readonly contexts: Contexts;
  readonly writes: WrittenFiles;
  readonly hashes: KnownHashes = new KnownHashes();
  readonly names: KnownNames = new KnownNames();
  /** its agent hashes executables */
  hashing = false;
  /** by run, hex; the one heard last is last */
  readonly runs: Map<string, Run> = new Map<string, Run>();
  /** ticks seen: the clock of all timers */
  tick = 0;
  /** null: none yet */
  last: LastTick | null = null;
  /** last number of the gap lane */
  gapSequence = 0;
  /** when it was last heard: the how manieth batch of all */
  heard = 0;
  /** input partition that its batches come from */
  partition = 0;
  /** µs to add to a ktime to get the wall clock, as last told */
  wallOffset = 0;

  /** for lack of room, of any run */
  lanesForgotten = 0;
  /** what is larger than a record takes, and so known until a restart only */
  unkept = 0;

  /** version of the interest that its last batch was filtered with; null: none came since the start of this service */
  interest: number | null = null;

  constructor(hostId: string, bootId: string, options: CompiledEnricherOptions) {
    this.hostId = hostId;
    this.bootId = bootId;
    this.processes = new ProcessTable(options.maxProcesses, options.keptTicks);
    this.contexts = new Contexts(options.keptTicks);
    this.writes = new WrittenFiles(options.writtenFiles);
  }

  /** The container that the process is in now. */
  containerOf(process: ProcessEntry): KnownContainer | null {
    if (process.containerEpoch !== this.contexts.epoch) {
      process.container = this.contexts.containers.get(u64ToHex(process.cgroup)) ?? null;
      process.containerEpoch = this.contexts.epoch;
    }
    return process.container;
  }

  /** The container of an event of `process` whose cgroup is `bytes[at, at + 8)`; without one it is where its process is. */
  containerAt(process: ProcessEntry, bytes: Buffer, at: number): KnownContainer | null {
    const low = u64Low(bytes, at);
    const high = u64High(bytes, at);
    const same = (low === process.cgroupLow && high === process.cgroupHigh) || (low === 0 && high === 0);
    return same ? this.containerOf(process) : (this.contexts.containers.get(u64ToHex(bytes, at)) ?? null);
  }

  /** What is known by now of a process's executable or script: a fork has its parent's image from before the hash was there. */
  hashOf({ hash, device, inode, ctime }: Image | Script): FileHash {
    return hash.state === 'pending' ? (this.hashes.find(device, inode, ctime) ?? hash) : hash;
  }

  /** Makes less of what is remembered of lanes: the run heard longest ago goes, then which numbers between others are missing, then lanes. */
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

  run(id: string): Run {
    // A sensor's runs come and go; that of the logs stays, and is heard now and then.
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

/** undefined: more lanes than any machine has. */
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
