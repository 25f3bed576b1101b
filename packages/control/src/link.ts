import { type Backoff, backoffMs, type Log, pause } from '@ringfence/base';
import type { TlsSource, TrustedKeys } from '@ringfence/identity';
import type { Control } from './agent-control.ts';
import { ResultCache } from './result-cache.ts';
import { runSession, type SessionEnd } from './session.ts';

export interface ConnectControlOptions {
  /** `host:port` of each responder; the agent uses any of them */
  readonly endpoints: readonly string[];
  readonly tls: TlsSource;
  readonly control: Control;
  /** Collects the responders' keys: `control` executes only commands signed by one of them */
  readonly trusted: Pick<TrustedKeys, 'add'>;
  readonly bootId: string;
  readonly agentVersion: string;
  readonly log: Log;
  /** First pause after a failed attempt, ms; doubled after each failure, with jitter. @default 500 */
  readonly backoffMs?: number;
  /** Longest pause, ms. @default 30 s */
  readonly maxBackoffMs?: number;
  /**
   * Deadline from the first packet to the welcome, ms. It is long because all agents of a failed responder reconnect to
   * the remaining ones at once. @default 30 s
   */
  readonly welcomeTimeoutMs?: number;
  /** A stream that lasted this long resets the backoff, ms. @default 10 s */
  readonly stableMs?: number;
}

export interface ControlLinkStats {
  readonly connected: boolean;
  readonly attempts: number;
  /** Attempts that a responder welcomed */
  readonly welcomes: number;
  /** Results that no responder has acknowledged yet */
  readonly unacknowledged: number;
  /** Results dropped to make room for newer ones */
  readonly dropped: number;
}

/** The agent's side of the control stream: keeps one stream open to one of the responders. */
export interface ControlLink extends AsyncDisposable {
  readonly connected: boolean;
  stats(): ControlLinkStats;
  close(): Promise<void>;
}

/** Connects, and reconnects until closed. Throws RangeError when `endpoints` is empty. */
export function connectControl(options: ConnectControlOptions): ControlLink {
  if (options.endpoints.length === 0) throw new RangeError('endpoints is empty: add a responder as host:port');
  return new Link(options);
}

class Link implements ControlLink {
  connected = false;
  readonly #options: ConnectControlOptions;
  readonly #results: ResultCache;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #attempts = 0;
  #welcomes = 0;

  constructor(options: ConnectControlOptions) {
    this.#options = options;
    this.#results = new ResultCache(options.control);
    this.#done = this.#run();
  }

  stats(): ControlLinkStats {
    return {
      connected: this.connected,
      attempts: this.#attempts,
      welcomes: this.#welcomes,
      unacknowledged: this.#results.size,
      dropped: this.#results.dropped,
    };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { endpoints, stableMs = 10_000, backoffMs: firstMs = 500, maxBackoffMs: maxMs = 30_000, log } = this.#options;
    const backoff: Backoff = { firstMs, maxMs };
    const { signal } = this.#stop;
    let failures = 0;
    // Start at a random responder, so that agents that start together spread out.
    for (let index = Math.floor(Math.random() * endpoints.length); !signal.aborted; ) {
      const endpoint = endpoints[index % endpoints.length] as string;
      const startedMs = performance.now();
      const { welcomed, reason, rotated } = await this.#attach(endpoint);
      if (signal.aborted) return;
      if (rotated && welcomed) continue;
      index++;
      failures = welcomed && performance.now() - startedMs >= stableMs ? 0 : failures + 1;
      log.warn({ endpoint, reason, failures }, welcomed ? 'control stream lost' : 'control stream not established');
      await pause(backoffMs(failures, backoff), signal, { ref: false });
    }
  }

  /** Runs one stream. A new certificate ends it, so that the next one presents the new certificate. */
  async #attach(endpoint: string): Promise<SessionEnd & { readonly rotated: boolean }> {
    const { tls, control, trusted, bootId, agentVersion, log, welcomeTimeoutMs = 30_000 } = this.#options;
    const rotation = new AbortController();
    using _ = tls.onChange(() => rotation.abort());
    this.#attempts++;
    const end = await runSession({
      endpoint,
      tls,
      control,
      trusted,
      results: this.#results,
      hello: { hostId: control.hostId, bootId, agentVersion },
      welcomeTimeoutMs,
      log,
      onWelcome: () => {
        this.#welcomes++;
        this.connected = true;
        log.info({ endpoint }, 'control stream attached');
      },
      signal: AbortSignal.any([this.#stop.signal, rotation.signal]),
    });
    this.connected = false;
    return { ...end, rotated: rotation.signal.aborted };
  }
}
