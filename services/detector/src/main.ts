import { type Bus, type BusLog, type Failpoint, type PipelineMetrics, runPipeline } from '@ringfence/bus';
import { deadLetter, type Interest, TOPIC } from '@ringfence/schema';
import type { DetectorOptions } from './config.ts';
import { createStats, type DetectorStats } from './metrics.ts';
import { createDetectorPipeline, type DetectorPipeline, type Rules } from './pipeline.ts';
import { RuleWatch, readRuleFiles } from './rule-files.ts';
import { compileDetectorRules, interestOf, logDiagnostics, reloadRules } from './rules.ts';
import { STORE } from './state/changelog.ts';

export interface DetectorDeps {
  readonly bus: Bus;
  /** rule files, or directories of them */
  readonly rulePaths: readonly string[];
  /** Look for changes of the files, and reload. @default true */
  readonly watchRules?: boolean;
  readonly options?: DetectorOptions;
  /** Told what the loaded rules can match, at start and whenever that changes. */
  readonly onInterest?: (interest: Interest) => void | Promise<void>;
  readonly log?: BusLog;
  readonly metrics?: PipelineMetrics;
  /** for crash tests */
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

export interface DetectorService {
  /** Resolves after `close`; rejects with what stopped the service. */
  readonly done: Promise<void>;
  /** Reads the rule files again; resolves when what is good of them is in force. */
  reload(): Promise<void>;
  rules(): Rules;
  /** Ends after the batch in hand. */
  close(): Promise<void>;
  stats(): DetectorStats;
}

/** ringfence.events → ringfence.alerts and ringfence.incidents, with its memory in ringfence.state.detector. The topics must exist. */
export async function startDetector(deps: DetectorDeps): Promise<DetectorService> {
  const { bus, rulePaths, watchRules = true, options = {}, log } = deps;
  const sources = await readRuleFiles(rulePaths);
  let rules = compileDetectorRules(sources);
  logDiagnostics(rules.diagnostics, sources, log);
  const stats = createStats();
  const pipelines = new Map<number, DetectorPipeline>();
  const consumer = await bus.consumer({ group: 'detector', topics: [TOPIC.events], stores: [STORE] });
  await deps.onInterest?.(interestOf(rules));

  const reload = async (): Promise<void> => {
    const before = interestOf(rules);
    rules = reloadRules(rules, await readRuleFiles(rulePaths), log);
    for (const pipeline of pipelines.values()) pipeline.setRules(rules);
    const interest = interestOf(rules);
    if (interest.version !== before.version) await deps.onInterest?.(interest);
  };
  const failed = (err: unknown): void =>
    log?.error({ err }, 'rule files could not be read: the loaded rules stay in force');
  const watch = watchRules ? new RuleWatch(rulePaths, () => void reload().catch(failed), failed) : undefined;

  const stop = new AbortController();
  const running = runPipeline({
    service: 'detector',
    consumer,
    async open(partition, restore) {
      const pipeline = createDetectorPipeline({ rules, options, partition, stats });
      await pipeline.restore(restore(STORE));
      // The rules may have been read again meanwhile.
      pipeline.setRules(rules);
      pipelines.set(partition, pipeline);
      return pipeline;
    },
    closed(partition) {
      pipelines.get(partition)?.[Symbol.dispose]();
      pipelines.delete(partition);
    },
    deadLetter: (record, error) => deadLetter(record, error, 'detector'),
    signal: stop.signal,
    ...(log === undefined ? {} : { log }),
    ...(deps.metrics === undefined ? {} : { metrics: deps.metrics }),
    ...(deps.failpoint === undefined ? {} : { failpoint: deps.failpoint }),
  });
  const done = running.finally(async () => {
    watch?.[Symbol.dispose]();
    await consumer.close();
  });
  // Whoever waits for `done` gets the error; nobody waiting is no reason to bring the process down a second time.
  done.catch(() => {});
  return {
    done,
    reload,
    rules: () => rules,
    async close() {
      stop.abort();
      await done;
    },
    stats() {
      const chains = [...pipelines.values()].reduce((sum, pipeline) => sum + pipeline.stats().chains, 0);
      return { ...stats, chains, rules: rules.rules.length };
    },
  };
}
