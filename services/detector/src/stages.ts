import type { Consumer, InRecord } from '@ringfence/bus';
import { type Handler, runPipeline } from '@ringfence/service-kit';
import { deadLetter } from '@ringfence/wire';
import { createEdgePipeline } from './edge-pipeline.ts';
import type { DetectorDeps } from './main.ts';
import type { DetectorStats } from './metrics.ts';
import { createDetectorPipeline, type DetectorPipeline } from './partition.ts';
import type { Rules } from './rules.ts';
import { STORE } from './state/changelog.ts';
import { EDGE_STORE } from './state/edge-table.ts';
import type { FleetRarity } from './state/fleet-rarity.ts';

interface Stage {
  readonly deps: DetectorDeps;
  readonly stats: DetectorStats;
  readonly consumer: Consumer;
  readonly signal: AbortSignal;
}

export interface FirstStage extends Stage {
  /** By assigned partition; the caller sets new rules on each */
  readonly pipelines: Map<number, DetectorPipeline>;
  /** Returns the rules in force. */
  readonly rules: () => Rules;
  readonly fleet: FleetRarity;
}

/** Handles events, joins and feedback, by host, until `signal` aborts. */
export function runFirstStage(stage: FirstStage): Promise<void> {
  const { pipelines, rules, fleet } = stage;
  return runPipeline({
    ...common(stage, 'detector'),
    async open(partition, restore) {
      const pipeline = createDetectorPipeline({ ...pipelineDeps(stage), rules: rules(), fleet, partition });
      await pipeline.restore(restore(STORE));
      // The rules may have been reloaded in the meantime.
      pipeline.setRules(rules());
      pipelines.set(partition, pipeline);
      return handlerOf(pipeline);
    },
    closed(partition) {
      pipelines.get(partition)?.[Symbol.dispose]();
      pipelines.delete(partition);
    },
  });
}

/** Handles edges, by edge, until `signal` aborts. */
export function runSecondStage(stage: Stage): Promise<void> {
  return runPipeline({
    ...common(stage, 'detector-edges'),
    async open(partition, restore) {
      const pipeline = createEdgePipeline({ ...pipelineDeps(stage), partition });
      await pipeline.restore(restore(EDGE_STORE));
      return handlerOf(pipeline);
    },
  });
}

const handlerOf = (pipeline: Pick<DetectorPipeline, 'ahead' | 'handle'>): Handler => ({
  async handle(records) {
    if (records.length > 1) await pipeline.ahead(records);
    return pipeline.handle(records);
  },
});

const pipelineDeps = ({ deps: { key = null, trusted, trace, options = {} }, stats }: Stage) => ({
  key,
  trusted,
  trace,
  options,
  keyGraceMs: options.keyGraceMs ?? 0,
  stats,
});

function common({ deps: { log, metrics, failpoint }, consumer, signal }: Stage, service: string) {
  return {
    service,
    consumer,
    signal,
    deadLetter: (record: InRecord, error: unknown) => deadLetter(record, error, service),
    ...(log === undefined ? {} : { log }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(failpoint === undefined ? {} : { failpoint }),
  };
}
