import type { Bus } from '@ringfence/bus';
import type { Interest } from '@ringfence/interest';
import type { RuleSource } from '@ringfence/rules';
import { TOPIC } from '@ringfence/wire';
import { RarityTopic } from './fleet/rarity-topic.ts';
import { InterestAnnouncer } from './interest.ts';
import { createStats, type DetectorStats } from './metrics.ts';
import type { DetectorPipeline } from './partition.ts';
import { readRuleFiles } from './rule-files.ts';
import { RuleWatch } from './rule-watch.ts';
import { compileDetectorRules, interestOf, logDiagnostics, type Rules, refusedFiles, reloadRules } from './rules.ts';
import { runFirstStage, runSecondStage, type StageDeps } from './stages.ts';
import { STORE } from './state/changelog.ts';
import { EDGE_STORE } from './state/edge-table.ts';
import { memoriesOf } from './state/memories.ts';

export interface DetectorDeps extends StageDeps {
  readonly bus: Bus;
  /** Rule files, or directories of them */
  readonly rulePaths: readonly string[];
  /** Whether changed files are reloaded. @default true */
  readonly watchRules?: boolean;
  /** Called with the events that the loaded rules can match, at the start and when they change. */
  readonly onInterest?: (interest: Interest) => void | Promise<void>;
  /** Called with the files of the rules in force after changed files were reloaded. */
  readonly onReload?: (sources: readonly RuleSource[]) => void;
  /** Name of this detector in a fleet, under which its interest is published. @default the interest is not published */
  readonly instance?: string;
}

export interface DetectorService {
  /** Resolves after `close`; rejects with the error that stopped the service. */
  readonly done: Promise<void>;
  /** Reads the rule files again; resolves when those without errors are in force. */
  reload(): Promise<void>;
  rules(): Rules;
  /** Stops after the current batch. */
  close(): Promise<void>;
  stats(): DetectorStats;
}

const textOf = ({ options }: Rules): string => JSON.stringify(options.sources.map(({ name, text }) => [name, text]));

/**
 * Starts both stages. The first one reads ringfence.events, .joins and .feedback, and writes ringfence.alerts,
 * .incidents, .edges and .joins; the second one reads ringfence.edges and writes ringfence.joins. Counts of rules are
 * shared on ringfence.rarity. The topics must exist.
 */
export async function startDetector(deps: DetectorDeps): Promise<DetectorService> {
  const { bus, rulePaths, watchRules = true, log } = deps;
  const sources = await readRuleFiles(rulePaths, true);
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
  const publishInterest = async (interest: Interest): Promise<void> => {
    await deps.onInterest?.(interest);
    await announcer?.announce(interest);
  };
  const interestNow = (): Interest => interestOf(rules, deps.options);
  await publishInterest(interestNow());

  const reload = async (): Promise<void> => {
    const before = interestNow();
    const read = await readRuleFiles(rulePaths, true);
    const previous = rules;
    rules = reloadRules(rules, read, log);
    // A broken file is compiled again at each reload, and changes nothing of what is in force.
    if (textOf(rules) !== textOf(previous)) deps.onReload?.(rules.options.sources);
    stats.refusedRuleFiles = refusedFiles(rules, read);
    for (const pipeline of pipelines.values()) pipeline.setRules(rules);
    const interest = interestNow();
    if (interest.version !== before.version) await publishInterest(interest);
  };
  const failed = (err: unknown): void =>
    log?.error({ err }, 'rule files could not be read; the loaded rules stay in force');
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

/** An error of one stage stops the other one. */
function endOf(running: readonly Promise<void>[], stop: AbortController, resources: AsyncDisposable): Promise<void> {
  const done = Promise.all(running.map((stage) => stage.finally(() => stop.abort()))).then(
    () => {},
    async (error) => {
      await Promise.allSettled(running);
      throw error;
    },
  );
  const closed = done.finally(() => resources[Symbol.asyncDispose]());
  // A caller that waits for `done` gets the error. Without one, it must not become an unhandled rejection.
  closed.catch(() => {});
  return closed;
}

function sumStats(counted: DetectorStats, pipelines: readonly DetectorPipeline[], rules: Rules): DetectorStats {
  const each = pipelines.map((pipeline) => pipeline.stats());
  return {
    ...counted,
    // All partitions share the memory of the rules.
    ...memoriesOf(rules).losses(),
    chains: each.reduce((sum, { chains }) => sum + chains, 0),
    forgottenConnections: each.reduce((sum, stats) => sum + stats.forgottenConnections, 0),
    rules: rules.rules.length,
    ruleErrors: rules.diagnostics.filter(({ severity }) => severity === 'error').length,
  };
}
