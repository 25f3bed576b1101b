import type { KeyObject } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { Control } from '@ringfence/control/port';
import { Cgroups } from '@ringfence/host-facts';
import type { Interest } from '@ringfence/interest';
import { LogReader, type LogStats } from '@ringfence/log-reader';
import {
  isResumable,
  lockDirectory,
  makePinDirectory,
  openSensor,
  pastTampering,
  readProbeFiles,
  type Sensor,
  unmarkSensor,
} from '@ringfence/sensor';
import type { Failpoint } from '@ringfence/service-kit';
import type { SigningKey } from '@ringfence/wire';
import { Agent } from './agent.ts';
import { type CollectorOptions, compileOptions } from './config.ts';
import { drainLeftover } from './leftover.ts';
import type { CollectorStats } from './metrics.ts';
import { Spool } from './spool/spool.ts';
import { Delivery } from './steps/deliver.ts';

export interface CollectorIdentity {
  /** UUID made at the agent's first start */
  readonly hostId: string;
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string;
  /** signs every batch */
  readonly key: SigningKey;
  readonly agentVersion: string;
}

export interface CollectorDeps {
  readonly options: CollectorOptions;
  /** the topics ringfence.raw and logs-raw must exist */
  readonly bus: Pick<Bus, 'produce'>;
  readonly identity: CollectorIdentity;
  /** whose commands are obeyed, by key id; in a fleet it changes while the agent runs (`TrustedKeys` of @ringfence/identity) */
  readonly trustedKeys: Pick<ReadonlyMap<string, KeyObject>, 'get'>;
  readonly log: Log;
  /** what loaded content can match, if that is known before the start. @default writes, creates and `watchedPaths` */
  readonly interest?: Interest;
  /** pid of the process that does all the rest of this program: what is done to it is told as what is done to the agent */
  readonly partner?: number;
  /** for crash tests */
  readonly failpoint?: (point: Failpoint) => void;
}

export interface Collector extends AsyncDisposable {
  readonly control: Control;
  stats(): CollectorStats & LogStats;
  /** Resolves when everything that the kernel had written by now is on the bus or in the spool. */
  settle(): Promise<void>;
  /** Resolves after close; rejects when the collector can't go on. What was in the rings then stays there for the next start. */
  readonly done: Promise<void>;
  /** Reads what is left, then takes the sensor out of the kernel (unless `keepPinned`). */
  close(): Promise<void>;
}

/** Loads the sensor and starts reading it. Rejects with CollectorError: ERR_COLLECTOR_SECOND_AGENT, _SENSOR, _SPOOL, _OPTIONS. */
export async function startCollector(deps: CollectorDeps): Promise<Collector> {
  const options = compileOptions(deps.options);
  const customProbes = readProbeFiles(options.probes.custom ?? []);
  using stack = new DisposableStack();
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  stack.use(lockDirectory(options.stateDir));
  makePinDirectory(options.pinPath);
  stack.use(lockDirectory(options.pinPath));
  const { bus, identity, log } = deps;
  const spool = stack.adopt(new Spool(options.spoolPath, options.spoolMaxBytes), (opened) => opened.close());
  const delivery = new Delivery({ bus, spool, hostId: identity.hostId, log });
  const sensorOptions = { ...options, cgroupRoot: cgroupRoot(), customProbes };
  const here = { bootId: identity.bootId, pinPath: options.pinPath };
  const past = pastTampering(options.stateDir, here, isResumable(sensorOptions));
  await drainLeftover(sensorOptions, deps, delivery);
  const sensor = stack.use(openSensor(sensorOptions));
  try {
    if (!sensor.resumed) spool.beginRun();
    const agent = stack.use(new Agent({ ...deps, options, spool, delivery, sensor, past }));
    await agent.start();
    const logs = { root: options.hostRoot, ...options.logs };
    const reader = new LogReader({ options: logs, stateDir: options.stateDir, bus, identity, log });
    return running(agent, reader, stack.move());
  } catch (error) {
    if (!sensor.resumed) abandon(sensor, options.stateDir);
    throw error;
  }
}

/** What this start has put into the kernel goes again. */
function abandon(sensor: Sensor, stateDir: string): void {
  unmarkSensor(stateDir);
  sensor.uninstall();
}

function cgroupRoot(): string | null {
  using cgroups = new Cgroups();
  return cgroups.mount;
}

function running(agent: Agent, logs: LogReader, resources: DisposableStack): Collector {
  const sensing = agent.run();
  const done = Promise.all([sensing, logs.done]).then(() => {});
  // Whoever waits for `done` gets the error.
  done.catch(() => {});
  let closing: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    using _ = resources;
    agent.stop();
    const [, reading] = await Promise.allSettled([sensing, logs.close()]);
    await sensing;
    await agent.finish();
    if (reading.status === 'rejected') throw reading.reason;
  };
  const close = (): Promise<void> => {
    closing ??= stop();
    return closing;
  };
  return {
    control: agent.control,
    stats: () => ({ ...agent.stats(), ...logs.stats() }),
    settle: () => agent.settle(),
    done,
    close,
    [Symbol.asyncDispose]: close,
  };
}
