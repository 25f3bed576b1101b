import { randomUUID } from 'node:crypto';
import {
  AgentControl,
  Delivery,
  ExecutedCommands,
  type Finished,
  RateLimit,
  Spool,
  type Tally,
} from '@ringfence/collector';
import { type Config, loadConfig } from '@ringfence/config';
import type { ControlLink } from '@ringfence/control';
import type { Control } from '@ringfence/control/port';
import type { AppLog } from '@ringfence/runtime';
import { agentStream, type Deployment, openDeployment } from '@ringfence/runtime';
import { RawBatchReader } from '@ringfence/wire';

export interface SimulatedHostOptions {
  readonly configFile: string;
  readonly log: AppLog;
  /** Ends a start that waits for servers. */
  readonly signal: AbortSignal;
}

const SPOOL_BYTES = 64 << 20;

/**
 * An agent without a kernel: with an identity, a certificate, the collector's delivery and spool, and a control stream.
 * The caller of `send` makes up its events.
 */
export class SimulatedHost implements AsyncDisposable {
  readonly hostId: string;
  /** New at each start, as after a reboot. */
  readonly bootId: string = randomUUID();
  readonly deployment: Deployment;
  readonly #stack: AsyncDisposableStack;
  readonly #spool: Spool;
  readonly #delivery: Delivery;
  readonly #reader = new RawBatchReader();
  #orders = 0;
  #interestVersion = 0;
  #link: ControlLink | null = null;

  private constructor(deployment: Deployment, config: Config, log: AppLog, stack: AsyncDisposableStack) {
    this.deployment = deployment;
    this.hostId = deployment.hostId;
    this.#stack = stack;
    this.#spool = stack.adopt(new Spool(config.collector.spool.path, SPOOL_BYTES), (spool) => spool.close());
    this.#delivery = new Delivery({ bus: deployment.bus, spool: this.#spool, hostId: deployment.hostId, log });
  }

  static async start({ configFile, log, signal }: SimulatedHostOptions): Promise<SimulatedHost> {
    const config = loadConfig({ file: configFile, flags: [] });
    const stack = new AsyncDisposableStack();
    try {
      const deployment = stack.use(await openDeployment({ config, log, signal, onWaiting: () => {} }));
      const host = new SimulatedHost(deployment, config, log, stack);
      const deps = { config, log, deployment: { ...deployment, bootId: host.bootId } };
      host.#link = stack.use(await agentStream(deps, { control: host.#control(config, log) }));
      return host;
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  /** Checks signature, host, boot and expiry of a command as any agent does; the command then finds no process. */
  #control({ stateDir, collector }: Config, log: AppLog): Control {
    const { hostId, bootId } = this;
    return new AgentControl({
      hostId,
      bootId,
      trustedKeys: this.deployment.responderKeys,
      executed: new ExecutedCommands(stateDir, Date.now() * 1000),
      limit: new RateLimit(collector.killsPerMinute),
      find: () => null,
      isProtected: () => null,
      setInterest: ({ version }) => {
        this.#interestVersion = version;
      },
      log,
      count: () => {
        this.#orders++;
      },
    });
  }

  /** The version that a responder has sent, although there is no kernel to filter in. */
  get interestVersion(): number {
    return this.#interestVersion;
  }

  /** Rejects with the errors of `Delivery.deliver`. */
  async send(batch: Buffer): Promise<void> {
    await this.#delivery.deliver([this.#finished(batch)]);
    await this.#delivery.drain();
  }

  #finished(bytes: Buffer): Finished {
    const counts = new Map<string, [number, number, number]>();
    this.#reader.open(bytes);
    let events = 0;
    for (; this.#reader.next(); events++) {
      const { lane, cpu } = this.#reader.cursor;
      const slot = counts.get(`${lane}/${cpu}`) ?? [lane, cpu, 0];
      slot[2]++;
      counts.set(`${lane}/${cpu}`, slot);
    }
    const tally: Tally = [...counts.values()];
    return { bytes, events, kind: 'security', tally };
  }

  stats(): { readonly events: number; readonly spooled: number; readonly connected: boolean; readonly orders: number } {
    return {
      orders: this.#orders,
      events: this.#delivery.events,
      spooled: this.#spool.bytes,
      connected: this.#link?.connected === true,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
