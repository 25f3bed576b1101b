import { defined, type Log, type Trace } from '@ringfence/base';
import type { Consumer, InRecord } from '@ringfence/bus';
import { type Failpoint, type Handler, type PipelineMetrics, runPipeline } from '@ringfence/service-kit';
import { deadLetter, type SigningKey } from '@ringfence/wire';
import type { DetectorOptions } from './config.ts';
import { createEdgePipeline } from './edge-pipeline.ts';
import type { DetectorStats } from './metrics.ts';
import { createDetectorPipeline, type DetectorPipeline } from './partition.ts';
import type { Rules } from './rules.ts';
import { STORE } from './state/changelog.ts';
import { EDGE_STORE } from './state/edge-table.ts';
import type { FleetRarity } from './state/fleet-rarity.ts';
import type { Trust } from './steps/verify.ts';

export interface StageDeps {
  readonly options?: DetectorOptions;
  /** Signs all records that are written; null: unsigned, as in one process. @default null */
  readonly key?: SigningKey | null;
  /** The keys that records must be signed with. @default not verified: in one process only root can write to the log */
  readonly trusted?: Trust;
  /** Called with how alerts and incidents came about. @default not called */
  readonly trace?: Trace;
  readonly log?: Log;
  readonly metrics?: PipelineMetrics;
  /** For crash tests */
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

interface Stage {
  readonly deps: StageDeps;
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
    consumer,
    signal,
    deadLetter: (record: InRecord, error: unknown) => deadLetter(record, error, service),
    ...defined({ log, metrics, failpoint }),
  };
}
