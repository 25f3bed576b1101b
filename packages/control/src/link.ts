import { type Backoff, backoffMs, type Log, LogThrottle, pause } from '@ringfence/base';
import {
  type FleetStanding,
  keepStanding,
  type StandingKeeper,
  type StandingState,
  type TlsSource,
  type TrustedKeys,
} from '@ringfence/identity';
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
  /** The fleet's standing: the agent obeys only responders that are in it */
  readonly standing: FleetStanding;
  /** Fetches the standing from the registrar, null when it has none. @default only responders send it */
  readonly fetchStanding?: () => Promise<Uint8Array | null>;
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
  /** How long a responder that is not in the standing may take to send one with itself, ms. @default 10 s */
  readonly standingWaitMs?: number;
  /** The agent changes the responder after this time, less up to a half at random, ms. @default 6 h */
  readonly changeMs?: number;
  /** As `changeMs`, while the standing is missing or expired, ms. @default 5 min */
  readonly changeUntrustedMs?: number;
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
  /** Streams that this agent ended because the responder's certificate was not in force */
  readonly refused: number;
  /** Planned changes of the responder */
  readonly changes: number;
  readonly standing: StandingState;
  /** 1 while no responder is obeyed, because the standing is missing or expired */
  readonly obeysNobody: number;
  /** Age of the newest standing, s; -1 when there is none */
  readonly standingAgeSeconds: number;
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

const HOUR_MS = 3_600_000;
const WATCH_MS = 5000;

class Link implements ControlLink {
  connected = false;
  readonly #options: ConnectControlOptions;
  readonly #results: ResultCache;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  readonly #keeper: StandingKeeper | null;
  readonly #warnings = new LogThrottle(HOUR_MS);
  readonly #watch: NodeJS.Timeout;
  readonly #createdMs = performance.now();
  #wasObeying = true;
  #attempts = 0;
  #welcomes = 0;
  #refused = 0;
  #changes = 0;

  constructor(options: ConnectControlOptions) {
    this.#options = options;
    this.#results = new ResultCache(options.control);
    const { standing, fetchStanding: fetch, log } = options;
    // Responders send the standing every few minutes, so the registrar is asked only when they do not.
    const refreshMs = standing.maxAgeMs / 4;
    this.#keeper = fetch === undefined ? null : keepStanding({ standing, fetch, refreshMs, log });
    this.#watch = setInterval(() => this.#reportStanding(), WATCH_MS).unref();
    this.#done = this.#run();
  }

  stats(): ControlLinkStats {
    const { state, ageMs } = this.#options.standing;
    return {
      connected: this.connected,
      attempts: this.#attempts,
      welcomes: this.#welcomes,
      unacknowledged: this.#results.size,
      dropped: this.#results.dropped,
      refused: this.#refused,
      changes: this.#changes,
      standing: state,
      obeysNobody: state === 'missing' || state === 'expired' ? 1 : 0,
      standingAgeSeconds: ageMs === null ? -1 : Math.round(ageMs / 1000),
    };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#watch);
    await this.#keeper?.[Symbol.asyncDispose]();
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
      const { welcomed, reason, cause, rotated } = await this.#attach(endpoint);
      if (signal.aborted) return;
      // Also after a planned end: an agent that came back to the same responder could never leave a fallen one.
      index++;
      if (cause === 'refused') this.#refused++;
      if (cause === 'change') this.#changes++;
      if (cause === 'change' || (rotated && welcomed)) {
        failures = 0;
        continue;
      }
      failures = welcomed && performance.now() - startedMs >= stableMs ? 0 : failures + 1;
      log.warn({ endpoint, reason, failures }, welcomed ? 'control stream lost' : 'control stream not established');
      await pause(backoffMs(failures, backoff), signal, { ref: false });
    }
  }

  /** Runs one stream. A new certificate ends it, so that the next one presents the new certificate. */
  async #attach(endpoint: string): Promise<SessionEnd & { readonly rotated: boolean }> {
    const { tls, control, trusted, standing, bootId, agentVersion, log } = this.#options;
    const { welcomeTimeoutMs = 30_000, standingWaitMs = 10_000 } = this.#options;
    const { changeMs = 6 * HOUR_MS, changeUntrustedMs = 300_000 } = this.#options;
    const jitter = 0.5 + Math.random() / 2;
    const rotation = new AbortController();
    using _ = tls.onChange(() => rotation.abort());
    this.#attempts++;
    const end = await runSession({
      endpoint,
      tls,
      control,
      trusted,
      standing,
      refreshStanding: () => this.#keeper?.refresh(),
      standingWaitMs,
      changeMs: changeMs * jitter,
      changeUntrustedMs: changeUntrustedMs * jitter,
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

  /** Logs when the agent stops obeying its responders, once an hour while it does not, and when it obeys them again. */
  #reportStanding(): void {
    const { standing, log, standingWaitMs = 10_000 } = this.#options;
    const { state, ageMs } = standing;
    const isObeying = state === 'current' || state === 'unsupported';
    if (isObeying && !this.#wasObeying) log.info({ ageMs }, 'this agent obeys its responders again');
    const isStarting = state === 'missing' && performance.now() - this.#createdMs < standingWaitMs;
    this.#wasObeying = isObeying || isStarting;
    if (this.#wasObeying || this.#warnings.shouldLog(state) === null) return;
    const facts = { standing: state, ageMs, maxAgeMs: standing.maxAgeMs };
    log.error(facts, 'this agent obeys no responder: it has no recent standing from the registrar or a responder');
  }
}
