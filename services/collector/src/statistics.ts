import type { Tallies } from '@ringfence/base';
import type { ContainerSource } from '@ringfence/host-facts';
import type { CustomProbes, Sensor, ThrottledSource } from '@ringfence/sensor';
import { type SkippedCalls, totalSkipped } from '@ringfence/sensor';
import { LANE, type LaneCounters, u64ToHex } from '@ringfence/wire';
import type { EventAccount, FlowAccount } from './account.ts';
import { type CollectorStats, sumDrops } from './metrics.ts';
import type { PipelineParts } from './pipeline.ts';
import type { Spool } from './spool/spool.ts';

export interface StatisticsParts {
  readonly sensor: Sensor;
  readonly pipeline: Pick<PipelineParts, 'security' | 'bulk' | 'merge' | 'delivery' | 'hashes'>;
  readonly flow: FlowAccount;
  readonly spool: Spool;
  readonly containers: ContainerSource;
  readonly throttled: ThrottledSource;
  readonly skipped: SkippedCalls;
  readonly customProbes: CustomProbes;
  /** answers to commands */
  readonly commands: Tallies;
}

/** What a collector has done, read where each part counts it. */
export class Statistics {
  readonly #parts: StatisticsParts;

  constructor(parts: StatisticsParts) {
    this.#parts = parts;
  }

  /** Of the sensor's lanes and the agent's own, with what user space dropped. */
  lanes(): LaneCounters[] {
    const { sensor, spool, pipeline } = this.#parts;
    const lanes = sensor.counters.read((lane, cpu, drops) => {
      const malformed = (lane === LANE.security ? pipeline.security : pipeline.bulk).malformed[cpu] ?? 0;
      const spoolFull = spool.dropped(lane, cpu);
      if (malformed > 0) drops['malformed'] = malformed;
      if (spoolFull > 0) drops['spool_full'] = spoolFull;
    });
    for (const lane of [LANE.tick, LANE.context]) {
      const spoolFull = spool.dropped(lane, 0);
      const drops: Record<string, number> = spoolFull > 0 ? { spool_full: spoolFull } : {};
      lanes.push({ lane, cpu: 0, sequence: sensor.run.lastSequence(lane), drops });
    }
    return lanes;
  }

  #account(): EventAccount {
    const { sensor, flow, containers, throttled, skipped } = this.#parts;
    const kinds = sensor.counters.kinds();
    const heldBack = throttled.read().map(({ cgroup, ...rest }) => ({
      cgroup: String(cgroup),
      path: containers.pathOf(cgroup),
      ...rest,
    }));
    return {
      kinds,
      lanes: flow.lanes(kinds),
      throttled: heldBack,
      failures: sensor.failures.helpers(),
      forgotten: sensor.failures.evictions(),
      skipped: skipped.read(),
    };
  }

  read(): CollectorStats {
    const { sensor, spool, containers, customProbes, commands } = this.#parts;
    const { security, bulk, delivery, merge, hashes } = this.#parts.pipeline;
    const { bytes, batches, droppedBatches, cutBytes } = spool;
    const lanes = this.lanes();
    const skipped = totalSkipped(this.#parts.skipped.read());
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
      spool: { bytes, batches, droppedBatches, cutBytes },
      batches: delivery.batches,
      events: delivery.events,
      bytes: delivery.bytes,
      late: merge.late,
      refusals: delivery.refusals,
      containers: containers.count,
      hashes: hashes.stats(),
      interestVersion: sensor.filter.interests.versionOf(sensor.filter.control.generation),
      commands: commands.snapshot(),
      probes: customProbes.status(),
    };
  }
}
