import type { KeyObject } from 'node:crypto';
import { Socket } from 'node:net';
import { OperatorError, VERSION } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type Collector, startCollector } from '@ringfence/collector';
import type { Config } from '@ringfence/config';
import type { FleetStanding, TrustedKeys } from '@ringfence/identity';
import { bootId, loadLocalIdentity } from '@ringfence/identity/local';
import type { Interest } from '@ringfence/interest';
import { type AppLog, createLogger } from '@ringfence/telemetry';
import { prepareHost } from '../host/prepare-host.ts';
import { collectGarbageWhenQuiet } from '../process/collect-garbage.ts';
import { failpointOption } from '../process/failpoint.ts';
import { collectorOptions } from '../start-services.ts';
import { Channel } from './channel.ts';
import { setInherited } from './descriptors.ts';
import { parseInterest } from './parse-interest.ts';
import type { ProcessRole } from './process-role.ts';
import type { ProducedRecord } from './sensor-client.ts';

/**
 * Runs the process that has capabilities: only the collector, no parsing of rules or of foreign events, no network. The
 * services' process may call the handlers below and nothing else: kills must be signed, and SECURITY.md lists what the
 * remaining calls allow. Ends when the services' process ends.
 */
export async function runSensor(
  config: Config,
  { fd, pid }: ProcessRole & { readonly name: 'sensor' },
): Promise<never> {
  // Ignored here: the services' process receives the same signal and then closes this process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  setInherited(fd, false);
  return new SensorServer(config, new Socket({ fd, readable: true, writable: true }), pid).run();
}

/** Keys whose commands are executed; in a fleet they change while the sensor runs. */
type ResponderKeys = Pick<ReadonlyMap<string, KeyObject>, 'get'> & Partial<Pick<TrustedKeys, 'add' | 'trustsNobody'>>;

class SensorServer {
  readonly #config: Config;
  readonly #channel: Channel;
  readonly #servicesPid: number;
  #collector: Collector | undefined;
  #responderKeys: ResponderKeys | undefined;
  /** In a fleet: the services in force. */
  #standing: FleetStanding | undefined;

  constructor(config: Config, socket: Socket, servicesPid: number) {
    this.#config = config;
    this.#servicesPid = servicesPid;
    this.#channel = new Channel(socket, {
      start: ({ value }) => this.#start(value === null ? null : parseInterest(value)),
      stats: () => this.#running.stats(),
      execute: ({ bytes }) => this.#running.control.execute(bytes),
      interest: ({ value }) => this.#running.control.setInterest(parseInterest(value)),
      enrolment: ({ bytes }) => this.#responderKeys?.add?.(bytes),
      // Empty: the registrar has no standings. Not believed once a standing was received.
      standing: ({ bytes }) => (bytes.length === 0 ? this.#standing?.markUnsupported() : this.#standing?.add(bytes)),
      settle: () => this.#running.settle(),
      close: () => this.#close(),
    });
  }

  /** Runs until the services' process has ended, then exits. */
  async run(): Promise<never> {
    try {
      await this.#channel.ended;
    } catch {
      // Without the services' process no event can be delivered: events stay in the rings, as after a crash.
    }
    process.exit(this.#collector === undefined ? 0 : 1);
  }

  get #running(): Collector {
    if (this.#collector === undefined) throw new OperatorError('the sensor does not run');
    return this.#collector;
  }

  async #start(interest: Interest | null): Promise<unknown> {
    if (this.#responderKeys !== undefined) throw new OperatorError('the sensor was started before');
    const { log: logging } = this.#config;
    const write = (line: string): void => void this.#channel.call('log', line).catch(() => process.stderr.write(line));
    const log = createLogger({ ...logging, stream: { write } }).child({ service: 'collector' });
    prepareHost(log, this.#config);
    const { responderKeys, ...identity } = await this.#loadIdentity(log);
    this.#responderKeys = responderKeys;
    const collector = await startCollector({
      options: collectorOptions(this.#config),
      bus: { produce: (records, deadlineMs) => this.#produce(records, deadlineMs) },
      identity: { ...identity, bootId: bootId(), agentVersion: VERSION },
      trustedKeys: responderKeys,
      log,
      partner: this.#servicesPid,
      ...(interest === null ? {} : { interest }),
      ...failpointOption('collector'),
    });
    this.#collector = collector;
    // The call fails only when the services' process has ended, which ends this process, too.
    collector.done.catch((error: Error) => this.#channel.call('failed', error.message).catch(() => {}));
    collectGarbageWhenQuiet();
    return collector.stats();
  }

  /** Reads the signing key and the trusted keys from disk: the services' process is not trusted with either. */
  async #loadIdentity(log: AppLog) {
    const { bus, control, identity: settings, stateDir } = this.#config;
    if (bus.driver !== 'kafka') {
      const { hostId, agentKey: key, trusted } = loadLocalIdentity(stateDir);
      const responderKeys: ResponderKeys = trusted;
      return { hostId, key, responderKeys };
    }
    const { FleetStanding, loadIdentity, standingPath, TrustedKeys } = await import('@ringfence/identity');
    const identity = loadIdentity(settings.path);
    if (identity === null) throw new OperatorError(`${settings.path} has no identity: enrol this host`);
    const path = standingPath(settings.path);
    this.#standing = new FleetStanding(identity.root, { path, log, maxAgeMs: control.standingMaxAgeMs });
    const responderKeys: ResponderKeys = new TrustedKeys(identity.root, 'responder', this.#standing);
    return { hostId: identity.subject, key: identity.signingKey, responderKeys };
  }

  async #produce(records: Parameters<Bus['produce']>[0], deadlineMs?: number): Promise<void> {
    const values = records.map(({ value }) => value ?? Buffer.alloc(0));
    const produced = records.map(({ value, ...record }): ProducedRecord => ({ ...record, length: value?.length ?? 0 }));
    await this.#channel.call('produce', { records: produced, deadlineMs }, Buffer.concat(values));
  }

  async #close(): Promise<unknown> {
    const collector = this.#running;
    await collector.close();
    this.#collector = undefined;
    return collector.stats();
  }
}
