import type { KeyObject } from 'node:crypto';
import { Socket } from 'node:net';
import { join, relative } from 'node:path';
import { OperatorError, VERSION } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type Collector, startCollector } from '@ringfence/collector';
import { type Config, sensorStateDirOf } from '@ringfence/config';
import type { FleetStanding, TrustedKeys } from '@ringfence/identity';
import { bootId, loadLocalIdentity, loadSensorIdentity, pinRootKey } from '@ringfence/identity/local';
import type { Interest } from '@ringfence/interest';
import { type AppLog, createLogger } from '@ringfence/telemetry';
import { keyIdOf, type SigningKey, signBytes } from '@ringfence/wire';
import { prepareHost } from '../host/prepare-host.ts';
import { collectGarbageWhenQuiet } from '../process/collect-garbage.ts';
import { failpointOption } from '../process/failpoint.ts';
import { collectorOptions } from '../start-services.ts';
import { Channel } from './channel.ts';
import { setInherited } from './descriptors.ts';
import { parseInterest } from './parse-interest.ts';
import { ignoreDebugSignals, type ProcessRole } from './process-role.ts';
import { type ProducedRecord, parsePublicKey, publicKeyText } from './sensor-client.ts';

/**
 * Runs the process that has capabilities: only the collector, no parsing of rules or of foreign events, and no network
 * but the messages to `collector.tampering.syslog`. The services' process may call the handlers below and nothing else:
 * kills must be signed, and SECURITY.md lists what the remaining calls allow. Ends when the services' process ends.
 */
export async function runSensor(
  config: Config,
  { fd, pid, ownUser }: ProcessRole & { readonly name: 'sensor' },
): Promise<never> {
  // Ignored here: the services' process receives the same signal and then closes this process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  ignoreDebugSignals();
  setInherited(fd, false);
  const settings = ownUser ? withOwnState(config) : config;
  return new SensorServer(
    { config: settings, ownUser, servicesPid: pid },
    new Socket({ fd, readable: true, writable: true }),
  ).run();
}

/** Moves the state of the collector to the directory that only the user of this process can enter. */
function withOwnState(config: Config): Config {
  const stateDir = sensorStateDirOf(config);
  const { spool } = config.collector;
  // The user of the services owns everything below its state directory.
  const below = relative(config.stateDir, spool.path);
  const path = below.startsWith('..') ? spool.path : join(stateDir, below);
  return { ...config, stateDir, collector: { ...config.collector, spool: { ...spool, path } } };
}

/** Keys whose commands are executed; in a fleet they change while the sensor runs. */
type ResponderKeys = Pick<ReadonlyMap<string, KeyObject>, 'get'> & Partial<Pick<TrustedKeys, 'add' | 'trustsNobody'>>;

/** Host id and responder key that the services' process of a single machine sends. */
interface PublicIdentity {
  readonly hostId: unknown;
  readonly responderKey: unknown;
}

const CERTIFICATE_REQUEST =
  /^-----BEGIN CERTIFICATE REQUEST-----\r?\n[A-Za-z0-9+/=\r\n]{1,8000}-----END CERTIFICATE REQUEST-----\s*$/;

interface Setup {
  readonly config: Config;
  readonly servicesPid: number;
  /** Whether this process has a user, a state directory and keys of its own. */
  readonly ownUser: boolean;
}

interface SensorKeys {
  readonly hostId: string;
  readonly key: SigningKey;
  readonly responderKeys: ResponderKeys;
}

class SensorServer {
  readonly #config: Config;
  readonly #ownUser: boolean;
  readonly #channel: Channel;
  /** Writes to the log of the services' process. */
  readonly #log: AppLog;
  readonly #servicesPid: number;
  #keys: SensorKeys | undefined;
  #collector: Collector | undefined;
  #responderKeys: ResponderKeys | undefined;
  /** In a fleet: the services in force. */
  #standing: FleetStanding | undefined;

  constructor({ config, servicesPid, ownUser }: Setup, socket: Socket) {
    this.#config = config;
    this.#ownUser = ownUser;
    this.#servicesPid = servicesPid;
    const write = (line: string): void => void this.#channel.call('log', line).catch(() => process.stderr.write(line));
    this.#log = createLogger({ ...config.log, stream: { write } }).child({ service: 'collector' });
    this.#channel = new Channel(socket, {
      identity: ({ value }) => this.#exchangeKeys((value ?? {}) as Partial<PublicIdentity>),
      prove: ({ value }) => this.#prove(value),
      start: ({ value }) => this.#start(value === null ? null : parseInterest(value)),
      stats: () => this.#running.stats(),
      ticks: () => this.#running.ticks(),
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
    const log = this.#log;
    prepareHost(log, this.#config);
    const { responderKeys, ...identity } = await this.#loadKeys();
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

  /**
   * Takes host id and responder key of a single machine, and returns the public key of this process. The services'
   * process may sign kills there, so it may name the key; in a fleet only the root key enrols responders.
   */
  async #exchangeKeys(peer: Partial<PublicIdentity>): Promise<string> {
    if (!this.#ownUser || this.#keys !== undefined) throw new OperatorError('the keys were exchanged before');
    this.#keys = this.#config.bus.driver === 'kafka' ? await this.#loadFleetKeys() : this.#loadOwnKeys(peer);
    return publicKeyText(this.#keys.key.publicKey);
  }

  #loadOwnKeys({ hostId, responderKey }: Partial<PublicIdentity>): SensorKeys {
    const { agentKey: key } = loadSensorIdentity(this.#config.stateDir, String(hostId));
    const responder = parsePublicKey(responderKey);
    return { hostId: String(hostId), key, responderKeys: new Map([[keyIdOf(responder), responder]]) };
  }

  /** Reads the signing key and the trusted keys from disk: the services' process is not trusted with either. */
  async #loadFleetKeys(): Promise<SensorKeys> {
    const { control, identity: settings, stateDir } = this.#config;
    const identities = await import('@ringfence/identity');
    const { FleetStanding, keepSigningKey, loadIdentity, standingPath, TrustedKeys } = identities;
    const { rootKey, path } = settings;
    const identity = loadIdentity(path, rootKey);
    if (identity === null) throw new OperatorError(`${path} has no identity: enrol this host`);
    const { subject: hostId, root, roles, signingKey } = identity;
    const standingFile = standingPath(this.#ownUser ? stateDir : path);
    const maxAgeMs = control.standingMaxAgeMs;
    this.#standing = new FleetStanding(root, { path: standingFile, log: this.#log, maxAgeMs });
    const responderKeys: ResponderKeys = new TrustedKeys(root, 'responder', this.#standing);
    if (!this.#ownUser) return { hostId, key: signingKey, responderKeys };
    // The services' user owns the identity: this process remembers the root key that it trusts, and takes the signing
    // key over unless services of the other process sign with it, too.
    pinRootKey(stateDir, root);
    const isShared = roles.some((role) => role !== 'agent');
    const key = isShared ? signingKey : keepSigningKey(join(stateDir, 'keys/fleet.pem'), signingKey);
    return { hostId, key, responderKeys };
  }

  #loadKeys(): SensorKeys | Promise<SensorKeys> {
    if (this.#keys !== undefined) return this.#keys;
    if (this.#ownUser) throw new OperatorError('the keys were not exchanged');
    if (this.#config.bus.driver === 'kafka') return this.#loadFleetKeys();
    const { hostId, agentKey: key, trusted: responderKeys } = loadLocalIdentity(this.#config.stateDir);
    return { hostId, key, responderKeys };
  }

  /** Signs a certificate request, and nothing that could be read as a batch or another record. */
  #prove(csr: unknown): Uint8Array {
    if (this.#keys === undefined || typeof csr !== 'string' || !CERTIFICATE_REQUEST.test(csr))
      throw new OperatorError('not a certificate request');
    return signBytes(this.#keys.key, Buffer.from(csr));
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
