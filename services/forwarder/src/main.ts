import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { renderProblem } from '@ringfence/checked-yaml';
import type { Failpoint } from '@ringfence/service-kit';
import type { TrailSource } from './delivery/missed.ts';
import { SinkRunner, type SinkStatus } from './delivery/sink-runner.ts';
import { SinkSettingsError } from './errors.ts';
import type { TrustedKeys } from './items/read-item.ts';
import { type ForwarderStats, statsOf } from './metrics.ts';
import { type ReplayProgress, type ReplayRange, replay } from './replay.ts';
import { loadSinkFiles, openSink, type SinkConfig } from './settings/load.ts';

export interface ForwarderOptions {
  /** Files of sinks, or directories of them */
  readonly sinks: readonly string[];
}

export interface ForwarderDeps {
  readonly options: ForwarderOptions;
  readonly bus: Bus;
  readonly trusted: TrustedKeys;
  readonly trail: TrailSource | null;
  readonly log: Log;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

export interface Forwarder extends AsyncDisposable {
  /** Resolves when the forwarder has stopped; rejects with the error that stopped a sink. */
  readonly done: Promise<void>;
  sinks(): Promise<readonly SinkStatus[]>;
  /** The backlog is as of at most ten seconds ago. */
  stats(): ForwarderStats;
  /** Sends the records of a time range again. Throws SinkSettingsError for an unknown sink. */
  replay(name: string, range: ReplayRange, signal: AbortSignal): AsyncIterable<ReplayProgress>;
  /** Stops after the current batches. */
  close(): Promise<void>;
}

/** Brokers are asked for the backlog of each sink. */
const REFRESH_MS = 10_000;

/** Starts a runner for each sink. Throws SinkSettingsError when a file has a mistake. */
export async function startForwarder(deps: ForwarderDeps): Promise<Forwarder> {
  const { options, log } = deps;
  const { items: configs, problems } = loadSinkFiles(options.sinks);
  if (problems.length > 0) throw new SinkSettingsError(problems.map(renderProblem).join('\n'));
  await using starting = new AsyncDisposableStack();
  const runners: SinkRunner[] = [];
  for (const config of configs) {
    const runner = await SinkRunner.start({ ...deps, config, sink: openSink(config, log) });
    starting.defer(() => runner.close());
    runners.push(runner);
  }
  let statuses: readonly SinkStatus[] = await statusesOf(runners);
  const refresh = setInterval(() => {
    statusesOf(runners).then(
      (fresh) => {
        statuses = fresh;
      },
      (err: unknown) => log.debug({ err }, 'the backlog of the sinks is not known at the moment'),
    );
  }, REFRESH_MS).unref();
  starting.defer(() => clearInterval(refresh));
  const running = starting.move();
  const closed = Promise.withResolvers<void>();
  const done = Promise.all([...runners.map((runner) => runner.done), closed.promise]).then(() => {});
  done.catch(() => {});
  const close = async (): Promise<void> => {
    closed.resolve();
    await running.disposeAsync();
  };
  return {
    done,
    sinks: () => statusesOf(runners),
    stats: () => statsOf(statuses),
    replay: (name, range, signal) => replay({ ...deps, config: configOf(configs, name), range, signal }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const statusesOf = (runners: readonly SinkRunner[]): Promise<SinkStatus[]> =>
  Promise.all(runners.map((runner) => runner.status()));

function configOf(configs: readonly SinkConfig[], name: string): SinkConfig {
  const config = configs.find((candidate) => candidate.name === name);
  if (config !== undefined) return config;
  const names = configs.map((candidate) => candidate.name).join(', ');
  throw new SinkSettingsError(`no sink is called ${name}; forwarder.sinks has: ${names === '' ? 'none' : names}`);
}
