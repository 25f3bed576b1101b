import { randomUUID } from 'node:crypto';
import { createAgentControl, type Outbox, openOutbox, toSignedBatch } from '@ringfence/collector/sensorless';
import { type Config, loadConfig } from '@ringfence/config';
import type { ControlLink } from '@ringfence/control';
import type { Control } from '@ringfence/control/port';
import { type AppLog, agentStream, type Deployment, openDeployment } from '@ringfence/runtime';

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
  readonly #outbox: Outbox;
  #orders = 0;
  #interestVersion = 0;
  #link: ControlLink | null = null;

  private constructor(deployment: Deployment, config: Config, log: AppLog, stack: AsyncDisposableStack) {
    const { hostId, bus } = deployment;
    this.deployment = deployment;
    this.hostId = hostId;
    this.#stack = stack;
    const spoolPath = config.collector.spool.path;
    const outbox = openOutbox({ bus, hostId, spoolPath, spoolMaxBytes: SPOOL_BYTES, log });
    this.#outbox = stack.adopt(outbox, (opened) => opened.close());
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

  /** Commands pass the agent's checks of signature, host, boot and expiry, and then find no such process. */
  #control({ stateDir, collector }: Config, log: AppLog): Control {
    const { hostId, bootId } = this;
    return createAgentControl({
      hostId,
      bootId,
      trustedKeys: this.deployment.responderKeys,
      stateDir,
      killsPerMinute: collector.killsPerMinute,
      find: () => null,
      isProtected: () => null,
      setInterest: ({ version }) => {
        this.#interestVersion = version;
      },
      log,
      onAnswer: () => {
        this.#orders++;
      },
    });
  }

  /** Version of the interest that the host received; without a kernel, nothing is filtered by it. */
  get interestVersion(): number {
    return this.#interestVersion;
  }

  /** Rejects with the errors of `Delivery.deliver`. */
  async send(batch: Buffer): Promise<void> {
    await this.#outbox.send([toSignedBatch(batch)]);
    await this.#outbox.drain();
  }

  stats(): { readonly events: number; readonly spooled: number; readonly connected: boolean; readonly orders: number } {
    const { events, spool } = this.#outbox.stats();
    return { orders: this.#orders, events, spooled: spool.bytes, connected: this.#link?.connected === true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
