import { type Backoff, backoffMs, pause } from '@ringfence/base';
import type { TlsSource, TrustedKeys } from '@ringfence/identity';
import type { Control } from '@ringfence/schema';
import { Answers } from './answers.ts';
import type { ControlLog } from './log.ts';
import { runSession, type SessionEnd } from './session.ts';

export interface ConnectControlOptions {
  /** `host:port` of each responder: any of them will do */
  readonly endpoints: readonly string[];
  readonly tls: TlsSource;
  readonly control: Control;
  /** learns the responders' keys: what `control` obeys must be signed by one of them */
  readonly trusted: Pick<TrustedKeys, 'take'>;
  readonly bootId: string;
  readonly agentVersion: string;
  readonly log: ControlLog;
  /** First pause after a failed attempt, ms. It doubles with each failure, with jitter. @default 500 */
  readonly backoffMs?: number;
  /** Longest pause, ms. @default 30 s */
  readonly maxBackoffMs?: number;
  /**
   * Deadline for the responder's welcome, ms. Generous, because after a crash of a responder all its agents connect to
   * the other responders at once. @default 30 s
   */
  readonly welcomeTimeoutMs?: number;
  /** A stream that lasts this long resets the backoff, ms. @default 10 s */
  readonly stableMs?: number;
}

export interface ControlLinkStats {
  readonly connected: boolean;
  readonly attempts: number;
  /** attempts that a responder welcomed */
  readonly welcomes: number;
  /** Results that nobody has acknowledged yet */
  readonly unacknowledged: number;
  /** of these, the ones that had to make room for newer ones */
  readonly dropped: number;
}

/** The agent's end: holds one stream to one of the responders, for as long as it takes. */
export interface ControlLink extends AsyncDisposable {
  readonly connected: boolean;
  stats(): ControlLinkStats;
  close(): Promise<void>;
}

/** Starts to connect, and retries for ever. Throws RangeError without an endpoint. */
export function connectControl(options: ConnectControlOptions): ControlLink {
  if (options.endpoints.length === 0) throw new RangeError('endpoints is empty: name a responder, host:port');
  return new Link(options);
}

class Link implements ControlLink {
  connected = false;
  readonly #options: ConnectControlOptions;
  readonly #answers: Answers;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #attempts = 0;
  #welcomes = 0;

  constructor(options: ConnectControlOptions) {
    this.#options = options;
    this.#answers = new Answers(options.control);
    this.#done = this.#run();
  }

  stats(): ControlLinkStats {
    return {
      connected: this.connected,
      attempts: this.#attempts,
      welcomes: this.#welcomes,
      unacknowledged: this.#answers.size,
      dropped: this.#answers.dropped,
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
    // Start with a random responder, so that agents which start together spread over all of them.
    for (let turn = Math.floor(Math.random() * endpoints.length); !signal.aborted; ) {
      const endpoint = endpoints[turn % endpoints.length] as string;
      const since = performance.now();
      const { welcomed, reason, rotated } = await this.#attach(endpoint);
      if (signal.aborted) return;
      if (rotated && welcomed) continue;
      turn++;
      failures = welcomed && performance.now() - since >= stableMs ? 0 : failures + 1;
      log.warn({ endpoint, reason, failures }, welcomed ? 'control stream lost' : 'no control stream');
      await pause(backoffMs(failures, backoff), signal, { ref: false });
    }
  }

  /** Runs one stream. A new certificate ends it, and the next stream uses that certificate. */
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
      answers: this.#answers,
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
