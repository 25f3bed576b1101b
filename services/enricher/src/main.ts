import { defined, type Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type Failpoint, type PipelineMetrics, runPipeline } from '@ringfence/service-kit';
import { deadLetter, type SigningKey, TOPIC } from '@ringfence/wire';
import { compileOptions, type EnricherOptions, type Enrolment } from './config.ts';
import { groupInterests, hostsBehind } from './interest-groups.ts';
import { createStats, type EnricherServiceStats, type EnricherStats } from './metrics.ts';
import { createEnricherPipeline, type EnricherPipeline } from './pipeline.ts';
import { startSilenceTimer } from './silence-timer.ts';
import { STORE } from './state/changelog.ts';

export interface EnricherDeps {
  readonly bus: Bus;
  readonly enrolment: Enrolment;
  /** Signs the EventBatches; null: unsigned, if all services share one process. @default null */
  readonly key?: SigningKey | null;
  readonly options?: EnricherOptions;
  readonly log?: Log;
  readonly metrics?: PipelineMetrics;
  /** Hook of crash tests. */
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

export interface EnricherService {
  /** Resolves after `close`. Rejects with the error that stopped the service. */
  readonly done: Promise<void>;
  /** Stops after the current batch. */
  close(): Promise<void>;
  stats(): EnricherServiceStats;
}

/** ringfence.raw and logs-raw → ringfence.events, with state in ringfence.state.enricher. The topics must exist. */
export async function startEnricher(deps: EnricherDeps): Promise<EnricherService> {
  const { bus, enrolment, key = null, options = {}, log, metrics, failpoint } = deps;
  const stats = createStats();
  const pipelines = new Map<number, EnricherPipeline>();
  const consumer = await bus.consumer({ group: 'enricher', topics: [TOPIC.raw, TOPIC.logsRaw], stores: [STORE] });
  const stop = new AbortController();
  const running = runPipeline({
    consumer,
    async open(partition, restore) {
      const pipeline = createEnricherPipeline({ enrolment, key, options, partition, stats });
      await pipeline.restore(restore(STORE));
      pipelines.set(partition, pipeline);
      return {
        async handle(records) {
          if (records.length > 1) await pipeline.ahead(records);
          return pipeline.handle(records);
        },
      };
    },
    closed(partition) {
      pipelines.get(partition)?.[Symbol.dispose]();
      pipelines.delete(partition);
    },
    deadLetter: (record, error) => deadLetter(record, error, 'enricher'),
    signal: stop.signal,
    ...defined({ log, metrics, failpoint }),
  });
  const afterMs = compileOptions(options).silentAfterMs;
  const silenceTimer = startSilenceTimer({ bus, key, log, afterMs, stats, pipelines });
  const done = running.finally(async () => {
    clearInterval(silenceTimer);
    await consumer.close();
  });
  // A caller that awaits `done` gets the error. Without one, it must not end the process as an unhandled rejection.
  done.catch(() => {});
  return {
    done,
    async close() {
      stop.abort();
      await done;
    },
    stats: () => sumStats(stats, [...pipelines.values()]),
  };
}

/** `counted` has the counters of all partitions. Sizes and pending evictions are added per partition. */
function sumStats(counted: EnricherStats, pipelines: readonly EnricherPipeline[]): EnricherServiceStats {
  const each = pipelines.map((pipeline) => pipeline.stats());
  const interests = groupInterests(pipelines.flatMap((pipeline) => [...pipeline.interests()]));
  return {
    ...counted,
    processes: each.reduce((sum, { processes }) => sum + processes, 0),
    evicted: each.reduce((sum, { evicted }) => sum + evicted - counted.evicted, counted.evicted),
    interests,
    hostsBehind: hostsBehind(interests),
  };
}
