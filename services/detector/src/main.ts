import type { Log, Trace } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { Interest } from '@ringfence/interest';
import type { Failpoint, PipelineMetrics } from '@ringfence/service-kit';
import { type SigningKey, TOPIC } from '@ringfence/wire';
import type { DetectorOptions } from './config.ts';
import { RarityTopic } from './fleet/rarity-topic.ts';
import { InterestAnnouncer } from './interest.ts';
import { createStats, type DetectorStats } from './metrics.ts';
import type { DetectorPipeline } from './partition.ts';
import { readRuleFiles } from './rule-files.ts';
import { RuleWatch } from './rule-watch.ts';
import { compileDetectorRules, interestOf, logDiagnostics, type Rules, refusedFiles, reloadRules } from './rules.ts';
import { runFirstStage, runSecondStage } from './stages.ts';
import { STORE } from './state/changelog.ts';
import { EDGE_STORE } from './state/edge-table.ts';
import { memoriesOf } from './state/memories.ts';
import type { Trust } from './steps/verify.ts';

export interface DetectorDeps {
  readonly bus: Bus;
  /** rule files, or directories of them */
  readonly rulePaths: readonly string[];
  /** Look for changes of the files, and reload. @default true */
  readonly watchRules?: boolean;
  readonly options?: DetectorOptions;
  /** Told what the loaded rules can match, at start and whenever that changes. */
  readonly onInterest?: (interest: Interest) => void | Promise<void>;
  /** signs what it writes; null: unsigned, as in one process. @default null */
  readonly key?: SigningKey | null;
  /** whose signatures batches, edges and joins need. @default none is looked at: in one process the log belongs to root alone */
  readonly trusted?: Trust;
  /** Name of this detector in a fleet: what its rules need is said on ringfence.interest under it. @default it is not */
  readonly instance?: string;
  /** Told how alerts and incidents came about. @default nobody */
  readonly trace?: Trace;
  readonly log?: Log;
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

/**
 * ringfence.events, ringfence.joins and ringfence.feedback → ringfence.alerts, ringfence.incidents, ringfence.edges and ringfence.joins, with its memory in
 * ringfence.state.detector; second stage: ringfence.edges → ringfence.joins. What all partitions together know of rules is on ringfence.rarity. The topics must exist.
 */
export async function startDetector(deps: DetectorDeps): Promise<DetectorService> {
  const { bus, rulePaths, watchRules = true, log } = deps;
  const sources = await readRuleFiles(rulePaths);
  let rules = compileDetectorRules(sources, deps.options?.profile);
  logDiagnostics(rules.diagnostics, sources, log);
  const stats = createStats();
  const pipelines = new Map<number, DetectorPipeline>();
  await using starting = new AsyncDisposableStack();
  const consumer = starting.use(
    await bus.consumer({ group: 'detector', topics: [TOPIC.events, TOPIC.joins, TOPIC.feedback], stores: [STORE] }),
  );
  const edges = starting.use(
    await bus.consumer({ group: 'detector-edges', topics: [TOPIC.edges], stores: [EDGE_STORE] }),
  );
  const { key = null, trusted, options: { keyGraceMs = 0 } = {} } = deps;
  const { fleet } = starting.use(await RarityTopic.open({ bus, trusted, keyGraceMs, stats, log }));
  const announcer =
    deps.instance === undefined
      ? undefined
      : starting.use(new InterestAnnouncer({ bus, instance: deps.instance, key, log }));
  const tell = async (interest: Interest): Promise<void> => {
    await deps.onInterest?.(interest);
    await announcer?.announce(interest);
  };
  const interestNow = (): Interest => interestOf(rules, deps.options);
  await tell(interestNow());

  const reload = async (): Promise<void> => {
    const before = interestNow();
    const read = await readRuleFiles(rulePaths);
    rules = reloadRules(rules, read, log);
    stats.refusedRuleFiles = refusedFiles(rules, read);
    for (const pipeline of pipelines.values()) pipeline.setRules(rules);
    const interest = interestNow();
    if (interest.version !== before.version) await tell(interest);
  };
  const failed = (err: unknown): void =>
    log?.error({ err }, 'rule files could not be read: the loaded rules stay in force');
  if (watchRules) starting.use(new RuleWatch(rulePaths, () => void reload().catch(failed), failed));

  const stop = new AbortController();
  const running = [
    runFirstStage({ deps, stats, consumer, signal: stop.signal, pipelines, rules: () => rules, fleet }),
    runSecondStage({ deps, stats, consumer: edges, signal: stop.signal }),
  ];
  const resources = starting.move();
  const done = endOf(running, stop, resources);
  return {
    done,
    reload,
    rules: () => rules,
    async close() {
      stop.abort();
      await done;
    },
    stats: () => sumStats(stats, [...pipelines.values()], rules),
  };
}

/** Both stages or none: the first error ends the other, too. */
function endOf(running: readonly Promise<void>[], stop: AbortController, resources: AsyncDisposable): Promise<void> {
  const done = Promise.all(running.map((one) => one.finally(() => stop.abort()))).then(
    () => {},
    async (error) => {
      await Promise.allSettled(running);
      throw error;
    },
  );
  const closed = done.finally(() => resources[Symbol.asyncDispose]());
  // Whoever waits for `done` gets the error; nobody waiting is no reason to bring the process down a second time.
  closed.catch(() => {});
  return closed;
}

function sumStats(counted: DetectorStats, pipelines: readonly DetectorPipeline[], rules: Rules): DetectorStats {
  const each = pipelines.map((pipeline) => pipeline.stats());
  return {
    ...counted,
    // Partitions share what rules remember.
    ...memoriesOf(rules).losses(),
    chains: each.reduce((sum, { chains }) => sum + chains, 0),
    forgottenConnections: each.reduce((sum, one) => sum + one.forgottenConnections, 0),
    rules: rules.rules.length,
    ruleErrors: rules.diagnostics.filter(({ severity }) => severity === 'error').length,
  };
}
