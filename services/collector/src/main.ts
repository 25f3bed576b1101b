import { mkdirSync } from 'node:fs';
import type { Control } from '@ringfence/control/port';
import { Cgroups } from '@ringfence/host-facts';
import { LogReader, type LogStats } from '@ringfence/log-reader';
import {
  isResumable,
  lockDirectory,
  makePinDirectory,
  openSensor,
  pastTampering,
  readProbeFiles,
  unmarkSensor,
} from '@ringfence/sensor';
import { type CompiledOptions, compileOptions } from './config.ts';
import { openOutbox } from './delivery/outbox.ts';
import type { CollectorDeps } from './deps.ts';
import { CycleLoop } from './lifecycle/cycle-loop.ts';
import { finishAgent } from './lifecycle/finish.ts';
import { drainLeftover } from './lifecycle/leftover.ts';
import { startAgent } from './lifecycle/start.ts';
import type { CollectorStats } from './metrics.ts';
import { type AgentParts, wireAgent } from './parts.ts';

export interface Collector extends AsyncDisposable {
  readonly control: Control;
  stats(): CollectorStats & LogStats;
  /** Resolves with the number of ticks since the start. It no longer grows if the collector hangs. */
  ticks(): Promise<number>;
  /** Resolves when every record that the kernel has written by now is on the bus or in the spool. */
  settle(): Promise<void>;
  /** Resolves after `close`. Rejects when the collector fails; the rings then keep their records for the next start. */
  readonly done: Promise<void>;
  /** Drains the rings and removes the sensor from the kernel (unless `keepPinned`). */
  close(): Promise<void>;
}

/**
 * Loads the sensor and starts reading it. Rejects with CollectorError (ERR_COLLECTOR_OPTIONS, _SPOOL) and with
 * SensorError (ERR_COLLECTOR_SENSOR, _SECOND_AGENT).
 */
export async function startCollector(deps: CollectorDeps): Promise<Collector> {
  const options = compileOptions(deps.options);
  const customProbes = readProbeFiles(options.probes.custom ?? []);
  const { bus, identity, log } = deps;
  const { stateDir, pinPath, spoolPath, spoolMaxBytes } = options;
  using stack = new DisposableStack();
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  stack.use(lockDirectory(stateDir));
  makePinDirectory(pinPath);
  stack.use(lockDirectory(pinPath));
  const outbox = openOutbox({ bus, hostId: identity.hostId, spoolPath, spoolMaxBytes, log });
  stack.defer(() => outbox.close());
  const root = cgroupRoot();
  const sensorOptions = { ...options, cgroupRoot: root, customProbes };
  const marker = { bootId: identity.bootId, pinPath };
  const past = pastTampering(stateDir, marker, isResumable(sensorOptions));
  await drainLeftover(sensorOptions, deps, outbox);
  const sensor = stack.use(openSensor(sensorOptions));
  try {
    if (!sensor.resumed) outbox.beginRun();
    const agentDeps = { ...deps, options, sensor, outbox, cgroupRoot: root };
    const parts = stack.use(wireAgent(agentDeps));
    const loop = new CycleLoop(parts);
    await startAgent(parts, loop, agentDeps, past);
    const logOptions = { root: options.hostRoot, ...options.logs };
    const logs = new LogReader({ options: logOptions, stateDir, bus, identity, log });
    return runCollector({ parts, loop, logs, options, resources: stack.move() });
  } catch (error) {
    // Leave nothing in the kernel that this start has put there.
    if (!sensor.resumed) {
      unmarkSensor(stateDir);
      sensor.uninstall();
    }
    throw error;
  }
}

function cgroupRoot(): string | null {
  using cgroups = new Cgroups();
  return cgroups.mount;
}

interface StartedParts {
  readonly parts: AgentParts;
  readonly loop: CycleLoop;
  readonly logs: LogReader;
  readonly options: CompiledOptions;
  readonly resources: DisposableStack;
}

function runCollector({ parts, loop, logs, options, resources }: StartedParts): Collector {
  const running = loop.run();
  const done = Promise.all([running, logs.done]).then(() => {});
  // Callers may ignore `done`: avoid an unhandled rejection.
  done.catch(() => {});
  let closing: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    using _ = resources;
    loop.stop();
    const [, logsClosed] = await Promise.allSettled([running, logs.close()]);
    await running;
    await finishAgent(parts, loop, options);
    if (logsClosed.status === 'rejected') throw logsClosed.reason;
  };
  const close = (): Promise<void> => {
    closing ??= stop();
    return closing;
  };
  return {
    control: parts.control,
    stats: () => ({ ...parts.statistics.read(), ...logs.stats() }),
    ticks: async () => loop.ticks,
    settle: () => loop.settle(),
    done,
    close,
    [Symbol.asyncDispose]: close,
  };
}
