import type { KeyObject } from 'node:crypto';
import { Socket } from 'node:net';
import { OperatorError, VERSION } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { type Collector, startCollector } from '@ringfence/collector';
import type { Config } from '@ringfence/config';
import type { TrustedKeys } from '@ringfence/identity';
import { bootId, loadLocalIdentity } from '@ringfence/identity/local';
import type { Interest } from '@ringfence/interest';
import { createLogger } from '@ringfence/telemetry';
import type { Want } from '@ringfence/wire';
import { collectGarbageWhenQuiet } from '../heap.ts';
import { prepareHost } from '../host/prepare-host.ts';
import { collectorOptions, failpoint } from '../start-services.ts';
import { Channel } from './channel.ts';
import { setInherited } from './descriptors.ts';
import type { Part } from './process-role.ts';

/**
 * The process that has capabilities: the collector, and nothing that reads rules, events of others or a network. The other process may ask for what stands
 * here and for no more: kills must be signed, and what else it can bring about is written in SECURITY.md. Ends with it.
 */
export async function runSensor(config: Config, { fd, pid }: Part & { readonly name: 'sensor' }): Promise<never> {
  // The other process is told to stop, and says when.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  setInherited(fd, false);
  const part = new SensorPart(config, new Socket({ fd, readable: true, writable: true }), pid);
  return part.run();
}

/** Whose commands are obeyed. */
type TrustedCommanders = Pick<ReadonlyMap<string, KeyObject>, 'get'> & Partial<Pick<TrustedKeys, 'add'>>;

class SensorPart {
  readonly #config: Config;
  readonly #channel: Channel;
  readonly #partner: number;
  #collector: Collector | undefined;
  #commanders: TrustedCommanders | undefined;

  constructor(config: Config, socket: Socket, partner: number) {
    this.#config = config;
    this.#partner = partner;
    this.#channel = new Channel(socket, {
      start: ({ value }) => this.#start(value === null ? null : interestOf(value)),
      stats: () => this.#running.stats(),
      execute: ({ bytes }) => this.#running.control.execute(bytes),
      interest: ({ value }) => this.#running.control.setInterest(interestOf(value)),
      enrolment: ({ bytes }) => this.#commanders?.add?.(bytes),
      settle: () => this.#running.settle(),
      close: () => this.#close(),
    });
  }

  /** Until the other process has gone. */
  async run(): Promise<never> {
    try {
      await this.#channel.gone;
    } catch {
      // Without it nothing can be brought anywhere: what is in the rings waits there for the next start, as after any other end that nobody planned.
    }
    process.exit(this.#collector === undefined ? 0 : 1);
  }

  get #running(): Collector {
    if (this.#collector === undefined) throw new OperatorError('the sensor does not run');
    return this.#collector;
  }

  async #start(interest: Interest | null): Promise<unknown> {
    if (this.#commanders !== undefined) throw new OperatorError('the sensor was started before');
    const { log: logging } = this.#config;
    const write = (line: string): void => void this.#channel.call('log', line).catch(() => process.stderr.write(line));
    const log = createLogger({ ...logging, stream: { write } }).child({ service: 'collector' });
    prepareHost(log, this.#config);
    const { commanders, ...identity } = await this.#identity();
    this.#commanders = commanders;
    const collector = await startCollector({
      options: collectorOptions(this.#config),
      bus: { produce: (records, deadlineMs) => this.#produce(records, deadlineMs) },
      identity: { ...identity, bootId: bootId(), agentVersion: VERSION },
      trustedKeys: commanders,
      log,
      partner: this.#partner,
      ...(interest === null ? {} : { interest }),
      ...failpoint('collector'),
    });
    this.#collector = collector;
    // Who doesn't take it has gone, which ends this process.
    collector.done.catch((error: Error) => this.#channel.call('failed', error.message).catch(() => {}));
    collectGarbageWhenQuiet();
    return collector.stats();
  }

  /** Read here, and not told by the other process: with which key is signed, and whose commands are obeyed. */
  async #identity() {
    const { bus, identity: place, stateDir } = this.#config;
    if (bus.driver !== 'kafka') {
      const { hostId, agentKey: key, trusted: commanders } = loadLocalIdentity(stateDir);
      return { hostId, key, commanders: commanders as TrustedCommanders };
    }
    const { loadIdentity, TrustedKeys } = await import('@ringfence/identity');
    const identity = loadIdentity(place.path);
    if (identity === null) throw new OperatorError(`${place.path} has no identity`);
    const commanders: TrustedCommanders = new TrustedKeys(identity.root, 'responder');
    return { hostId: identity.subject, key: identity.signingKey, commanders };
  }

  async #produce(records: Parameters<Bus['produce']>[0], deadlineMs?: number): Promise<void> {
    const values = records.map(({ value }) => value ?? Buffer.alloc(0));
    const said = records.map(({ value, ...rest }) => ({ ...rest, length: value?.length ?? 0 }));
    await this.#channel.call('produce', { records: said, deadlineMs }, Buffer.concat(values));
  }

  async #close(): Promise<unknown> {
    const collector = this.#running;
    await collector.close();
    this.#collector = undefined;
    return collector.stats();
  }
}

const TEXTS_MAX = 100_000;

/** Of the right shape, or a TypeError: what the other process says is not believed to be. */
function interestOf(value: unknown): Interest {
  const { version, openPathPrefixes, wants, ...lists } = value as Partial<Interest>;
  return {
    version: integerOf(version),
    openPathPrefixes: openPathPrefixes === null ? null : textsOf(openPathPrefixes, 'openPathPrefixes'),
    openNames: textsOf(lists.openNames, 'openNames'),
    openExecutables: textsOf(lists.openExecutables, 'openExecutables'),
    changePathPrefixes: textsOf(lists.changePathPrefixes, 'changePathPrefixes'),
    changeNames: textsOf(lists.changeNames, 'changeNames'),
    wants: wants === null ? null : listOf(wants, 'wants').map(wantOf),
  };
}

function wantOf(value: unknown): Want {
  const { kind, form, scope, peerPorts, localPorts } = value as Partial<Want>;
  const [kindText = '', formText = '', scopeText = ''] = textsOf([kind, form, scope], 'wants');
  const ports = (list: unknown): number[] => listOf(list, 'ports').map(integerOf);
  return {
    kind: kindText,
    form: formText,
    scope: scopeText,
    peerPorts: ports(peerPorts),
    localPorts: ports(localPorts),
  };
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > TEXTS_MAX) throw wrong(name);
  return value;
}

function integerOf(value: unknown): number {
  if (!Number.isInteger(value)) throw wrong('numbers');
  return value as number;
}

function textsOf(value: unknown, name: string): string[] {
  return listOf(value, name).map((text) => {
    if (typeof text !== 'string') throw wrong(name);
    return text;
  });
}

const wrong = (name: string): TypeError => new TypeError(`an interest with wrong ${name}`);
