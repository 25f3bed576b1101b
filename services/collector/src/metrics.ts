import type { Barrier } from '@ringfence/barrier';
import type { Tallies } from '@ringfence/base';
import type { ContainerSource, HashStats } from '@ringfence/host-facts';
import {
  type CustomProbes,
  type ProbeStatus,
  type Sensor,
  type SkippedCalls,
  type ThrottledSource,
  totalSkipped,
} from '@ringfence/sensor';
import type { SyslogSender, SyslogStats } from '@ringfence/syslog';
import { LANE, type LaneCounters, u64ToHex } from '@ringfence/wire';
import type { EventAccount, FlowAccount } from './account.ts';
import type { OutboxStats } from './delivery/outbox.ts';
import type { FileWatch, FileWatchStats } from './file-watch.ts';
import type { PipelineParts } from './pipeline.ts';

export interface CollectorStats {
  /** Hex */
  readonly run: string;
  /** Whether an earlier agent's sensor was taken over */
  readonly resumed: boolean;
  /** Number of hooks in place */
  readonly hooks: number;
  /** Hooks that are not in place, with the reason */
  readonly missingHooks: Readonly<Record<string, string>>;
  /** Missing hooks that this kernel has: they are retried */
  readonly retriedHooks: readonly string[];
  /** Counters of the sensor, with the drops in user space */
  readonly lanes: readonly LaneCounters[];
  /** Over all lanes and CPUs, by cause; `skipped`: calls of the sensor that the kernel skipped, which nothing saw */
  readonly drops: Readonly<Record<string, number>>;
  /** Where every event went */
  readonly account: EventAccount;
  /** Bytes in the rings, not yet read */
  readonly pendingBytes: { readonly security: number; readonly bulk: number };
  readonly spool: OutboxStats['spool'];
  /** Since this start */
  readonly batches: number;
  readonly events: number;
  readonly bytes: number;
  readonly late: number;
  /** Number of times that the bus refused batches */
  readonly refusals: number;
  readonly containers: number;
  readonly hashes: HashStats;
  /** Files that are recognized by their identity */
  readonly files: FileWatchStats;
  /** Reports of tampering to `collector.tampering.syslog` */
  readonly tamperingReports: SyslogStats;
  readonly interestVersion: number;
  /** Answers to commands, by `outcome` or `refused/reason` */
  readonly commands: Readonly<Record<string, number>>;
  /** Packets, connects, names and sockets that blocks and isolations have refused since the boot, by cause */
  readonly refusedTraffic: Readonly<Record<string, number>>;
  /** User-defined probes */
  readonly probes: readonly ProbeStatus[];
}

const NO_REPORTS: SyslogStats = { sent: 0, waiting: 0, lost: 0, failures: 0 };

export interface StatisticsSources {
  readonly sensor: Sensor;
  readonly pipeline: Pick<PipelineParts, 'security' | 'bulk' | 'merge' | 'outbox' | 'hashes'>;
  readonly flow: FlowAccount;
  readonly containers: ContainerSource;
  readonly throttled: ThrottledSource;
  readonly skipped: SkippedCalls;
  readonly customProbes: CustomProbes;
  readonly files: FileWatch;
  readonly syslog: SyslogSender | null;
  /** Answers to commands */
  readonly commands: Tallies;
  readonly barrier: Barrier | null;
}

/** Reads the collector's figures where each part counts them. */
export class Statistics {
  readonly #sources: StatisticsSources;
  #final: CollectorStats | undefined;

  constructor(sources: StatisticsSources) {
    this.#sources = sources;
  }

  /** Returns the counters of the sensor's and the agent's lanes, with the drops in user space. */
  lanes(): LaneCounters[] {
    const { sensor, pipeline } = this.#sources;
    const { outbox } = pipeline;
    const lanes = sensor.counters.read((lane, cpu, drops) => {
      const malformed = (lane === LANE.security ? pipeline.security : pipeline.bulk).malformed[cpu] ?? 0;
      const spoolFull = outbox.dropped(lane, cpu);
      if (malformed > 0) drops['malformed'] = malformed;
      if (spoolFull > 0) drops['spool_full'] = spoolFull;
    });
    for (const lane of [LANE.tick, LANE.context]) {
      const spoolFull = outbox.dropped(lane, 0);
      const drops: Record<string, number> = spoolFull > 0 ? { spool_full: spoolFull } : {};
      lanes.push({ lane, cpu: 0, sequence: sensor.run.lastSequence(lane), drops });
    }
    return lanes;
  }

  /** Returns the current figures, or the final ones after `freeze`. */
  read(): CollectorStats {
    return this.#final ?? this.#read();
  }

  /** Keeps the current figures, because the parts cannot be read after the sensor is removed. */
  freeze(): void {
    this.#final = this.#read();
  }

  #read(): CollectorStats {
    const { sensor, containers, customProbes, files, syslog, commands, barrier } = this.#sources;
    const { security, bulk, outbox, merge, hashes } = this.#sources.pipeline;
    const { spool, batches, events, bytes, refusals } = outbox.stats();
    const lanes = this.lanes();
    const skipped = totalSkipped(this.#sources.skipped.read());
    return {
      run: u64ToHex(sensor.run.id),
      resumed: sensor.resumed,
      hooks: sensor.hooks.count,
      missingHooks: Object.fromEntries([...sensor.hooks.missing].map(([hook, { reason }]) => [hook, reason])),
      retriedHooks: sensor.hooks.onDemand.retrying,
      lanes,
      drops: { ...sumDrops(lanes), ...(skipped > 0 ? { skipped } : {}) },
      account: this.#account(),
      pendingBytes: { security: security.pendingBytes, bulk: bulk.pendingBytes },
      spool,
      batches,
      events,
      bytes,
      late: merge.late,
      refusals,
      containers: containers.count,
      hashes: hashes.stats(),
      files: files.stats(),
      tamperingReports: syslog?.stats() ?? NO_REPORTS,
      interestVersion: sensor.filter.interests.versionOf(sensor.filter.control.generation),
      commands: commands.snapshot(),
      refusedTraffic: { ...barrier?.counts() },
      probes: customProbes.status(),
    };
  }

  #account(): EventAccount {
    const { sensor, flow, containers, throttled, skipped } = this.#sources;
    const kinds = sensor.counters.kinds();
    const throttledByCgroup = throttled.read().map(({ cgroup, ...counts }) => ({
      cgroup: String(cgroup),
      path: containers.pathOf(cgroup),
      ...counts,
    }));
    return {
      kinds,
      lanes: flow.lanes(kinds),
      throttled: throttledByCgroup,
      failures: sensor.failures.helpers(),
      forgotten: sensor.failures.evictions(),
      skipped: skipped.read(),
    };
  }
}

/** Returns the sums over all lanes and CPUs, by cause. */
function sumDrops(lanes: readonly LaneCounters[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { drops } of lanes) {
    for (const [cause, count] of Object.entries(drops)) sums[cause] = (sums[cause] ?? 0) + count;
  }
  return sums;
}
