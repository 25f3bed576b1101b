import { type Bus, type BusLog, type Failpoint, type PipelineMetrics, runPipeline } from '@ringfence/bus';
import { deadLetter, TOPIC } from '@ringfence/schema';
import type { EnricherOptions, Enrolment } from './config.ts';
import type { EnricherStats } from './metrics.ts';
import { createEnricherPipeline } from './pipeline.ts';
import { STORE } from './state/changelog.ts';

export interface EnricherDeps {
  readonly bus: Bus;
  readonly enrolment: Enrolment;
  readonly options?: EnricherOptions;
  readonly log?: BusLog;
  readonly metrics?: PipelineMetrics;
  /** for crash tests */
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

export interface EnricherService {
  /** Resolves after `close`; rejects with what stopped the service. */
  readonly done: Promise<void>;
  /** Ends after the batch in hand. */
  close(): Promise<void>;
  stats(): EnricherStats;
}

/** ringfence.raw → ringfence.events, with its memory in ringfence.state.enricher. The topics must exist. */
export async function startEnricher(deps: EnricherDeps): Promise<EnricherService> {
  const { bus, enrolment, options = {}, log, metrics, failpoint } = deps;
  const pipeline = createEnricherPipeline({ enrolment, options });
  const consumer = await bus.consumer({ group: 'enricher', topics: [TOPIC.raw], stores: [STORE] });
  await pipeline.restore(consumer.restore(STORE));
  const stop = new AbortController();
  const running = runPipeline({
    service: 'enricher',
    consumer,
    async handle(records) {
      if (records.length > 1) await pipeline.ahead(records);
      return pipeline.handle(records);
    },
    deadLetter: (record, error) => deadLetter(record, error, 'enricher'),
    signal: stop.signal,
    ...(log === undefined ? {} : { log }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(failpoint === undefined ? {} : { failpoint }),
  });
  const done = running.finally(() => consumer.close());
  // Whoever waits for `done` gets the error; nobody waiting is no reason to bring the process down a second time.
  done.catch(() => {});
  return {
    done,
    async close() {
      stop.abort();
      await done;
    },
    stats: pipeline.stats,
  };
}
