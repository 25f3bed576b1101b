import { Client, type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import { type Log, messageOf } from '@ringfence/base';
import { type FleetStanding, type Peer, peerOf, type TlsSource, type TrustedKeys } from '@ringfence/identity';
import type { Control } from './agent-control.ts';
import { judgeResponder, NOT_IN_FORCE } from './judge-responder.ts';
import type { ResultCache } from './result-cache.ts';
import { ResponderCredentials } from './tls.ts';
import {
  attach,
  channelOptions,
  type FromAgent,
  type Hello,
  interestFromWire,
  MISSED_HEARTBEATS,
  type ReceivedToAgent,
} from './wire.ts';

/** Maximum number of commands running at once; further ones wait in the stream. */
const MAX_RUNNING = 64;
const MIN_HEARTBEAT_MS = 10;
const MAX_HEARTBEAT_MS = 60_000;

type WireInterest = Parameters<typeof interestFromWire>[0];

export interface SessionDeps {
  readonly endpoint: string;
  readonly tls: TlsSource;
  readonly control: Control;
  readonly results: ResultCache;
  readonly trusted: Pick<TrustedKeys, 'add'>;
  readonly standing: FleetStanding;
  /** Asks the registrar for a newer standing: the responder is not in the known one */
  readonly refreshStanding: () => void;
  readonly hello: Omit<Hello, 'unacknowledged'>;
  readonly welcomeTimeoutMs: number;
  /** How long the responder may be missing from the standing, ms */
  readonly standingWaitMs: number;
  /** Duration after which the agent changes the responder, ms */
  readonly changeMs: number;
  /** As `changeMs`, while the standing is missing or expired */
  readonly changeUntrustedMs: number;
  readonly log: Log;
  /** Called when the responder has accepted this agent */
  readonly onWelcome: () => void;
  /** Ends the session */
  readonly signal: AbortSignal;
}

export interface SessionEnd {
  readonly welcomed: boolean;
  readonly reason: string;
  /** `refused`: the agent does not trust the responder. `change`: the agent had been there long enough. */
  readonly cause: 'lost' | 'refused' | 'change';
}

/** Runs one stream to one responder, from hello to end. Never rejects. */
export function runSession(deps: SessionDeps): Promise<SessionEnd> {
  return new Session(deps).ended;
}

class Session {
  readonly ended: Promise<SessionEnd>;
  readonly #deps: SessionDeps;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<FromAgent, ReceivedToAgent>;
  readonly #end: (end: SessionEnd) => void;
  /** Aborts when the session ends, and closes its connections */
  readonly #disconnect = new AbortController();
  #welcomedMs: number | null = null;
  #stopped = false;
  #running = 0;
  #lastMessageMs = 0;
  #timer: NodeJS.Timeout;
  #waitTimer: NodeJS.Timeout | undefined;
  #peer: Peer | null = null;
  #isTrusted = false;
  /** Whether the responder may still prove, by a newer standing, that it is in force */
  #mayWait = true;
  /** Commands and the interest of a responder that is not in the standing yet */
  #waitingCommands: Uint8Array[] = [];
  #waitingInterest: WireInterest | undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    const { endpoint, tls, signal, welcomeTimeoutMs } = deps;
    ({ promise: this.ended, resolve: this.#end } = Promise.withResolvers<SessionEnd>());
    this.#client = new Client(endpoint, new ResponderCredentials(tls, this.#disconnect.signal), {
      ...channelOptions,
      // Use a new connection with the current certificate; the caller handles retries and chooses responders.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
    });
    const { path, requestSerialize, responseDeserialize } = attach;
    this.#call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#timer = setTimeout(() => this.#stop(`no welcome within ${welcomeTimeoutMs} ms`), welcomeTimeoutMs);
    const abort = (): void => this.#stop('this agent ended the stream');
    signal.addEventListener('abort', abort, { once: true });
    void this.ended.then(() => signal.removeEventListener('abort', abort));
    this.#call.on('data', (message: ReceivedToAgent) => this.#onMessage(message));
    this.#call.on('error', (error: ServiceError) => this.#stop(`${status[error.code]}: ${error.details}`));
    this.#call.on('end', () => this.#stop('the responder ended the stream'));
    this.#send({ hello: { ...deps.hello, unacknowledged: deps.results.ids } });
    if (signal.aborted) abort();
  }

  #stop(reason: string, cause: SessionEnd['cause'] = 'lost'): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#waitTimer);
    this.#call.cancel();
    this.#client.close();
    this.#disconnect.abort();
    this.#end({ welcomed: this.#welcomedMs !== null, reason, cause });
  }

  #send(message: FromAgent): void {
    if (!this.#stopped) this.#call.write(message);
  }

  #onMessage(message: ReceivedToAgent): void {
    if (this.#stopped) return;
    const { results, standing, trusted } = this.#deps;
    this.#lastMessageMs = performance.now();
    if (message.welcome !== undefined) this.#welcome(message.welcome.heartbeatMs);
    else if (this.#welcomedMs === null) this.#stop('the responder sent a message before its welcome');
    else if (message.standing !== undefined) standing.add(message.standing);
    else if (message.command !== undefined) this.#onCommand(message.command);
    else if (message.enrolment !== undefined) trusted.add(message.enrolment);
    else if (message.interest !== undefined) this.#onInterest(message.interest);
    else if (message.acknowledge !== undefined) results.acknowledge(message.acknowledge);
  }

  /** Judges the responder, then starts the heartbeats and sends the unacknowledged Results. */
  #welcome(intervalMs: number): void {
    if (this.#welcomedMs !== null) return;
    this.#welcomedMs = performance.now();
    clearTimeout(this.#timer);
    const { results, onWelcome, standing, standingWaitMs } = this.#deps;
    const heartbeatMs = Math.min(Math.max(intervalMs, MIN_HEARTBEAT_MS), MAX_HEARTBEAT_MS);
    this.#timer = setInterval(() => this.#tick(heartbeatMs), heartbeatMs);
    this.#peer = peerOf(this.#call.getAuthContext()?.sslPeerCertificate);
    // The responder sends the standing first; ask the registrar only when it has not.
    this.#waitTimer = setTimeout(() => this.#onHalfTime(), standingWaitMs / 2);
    const watch = standing.onChange(() => this.#judge());
    void this.ended.then(() => watch[Symbol.dispose]());
    this.#judge();
    if (this.#stopped) return;
    onWelcome();
    const delivery = results.deliverTo((result) => this.#send({ result }));
    void this.ended.then(() => delivery[Symbol.dispose]());
  }

  #tick(heartbeatMs: number): void {
    this.#judge();
    if (performance.now() - this.#lastMessageMs > heartbeatMs * MISSED_HEARTBEATS)
      this.#stop('no message from the responder');
    else if (this.#mustChange()) this.#stop('the agent changes the responder', 'change');
    else this.#send({ heartbeat: {} });
  }

  /** A fallen responder could keep an agent for ever, and so keep from it whatever others would send. */
  #mustChange(): boolean {
    const { changeMs, changeUntrustedMs } = this.#deps;
    const attachedMs = performance.now() - (this.#welcomedMs ?? 0);
    // Results that wait for their acknowledgement are sent again on the next stream.
    return attachedMs > (this.#isTrusted ? changeMs : changeUntrustedMs);
  }

  #onHalfTime(): void {
    if (this.#stopped) return;
    const { refreshStanding, standingWaitMs } = this.#deps;
    if (!this.#isTrusted) refreshStanding();
    this.#waitTimer = setTimeout(() => {
      this.#mayWait = false;
      this.#judge();
    }, standingWaitMs / 2);
  }

  /** Ends the stream of a responder that is not in force, and obeys the responder once it is. */
  #judge(): void {
    if (this.#stopped) return;
    const { standing } = this.#deps;
    const wasTrusted = this.#isTrusted;
    const judgement = judgeResponder(this.#peer, standing);
    this.#isTrusted = judgement === 'trusted';
    // A newer standing no longer has the responder, or the responder had time to send one that has it.
    const isOverdue = standing.state === 'current' && (wasTrusted || !this.#mayWait);
    if (typeof judgement === 'object') this.#stop(judgement.refusal, 'refused');
    else if (!this.#isTrusted && isOverdue) this.#stop(NOT_IN_FORCE, 'refused');
    else if (this.#isTrusted || !this.#mayWait) this.#obeyWaiting();
  }

  #obeyWaiting(): void {
    const commands = this.#waitingCommands;
    this.#waitingCommands = [];
    for (const command of commands) void this.#execute(command);
    if (this.#isTrusted && this.#waitingInterest !== undefined) {
      void this.#setInterest(this.#waitingInterest);
      this.#waitingInterest = undefined;
    }
  }

  /** While the standing is missing or expired, the agent's control answers that it obeys nobody. */
  #onCommand(command: Uint8Array): void {
    if (this.#isTrusted || !this.#mayWait) void this.#execute(command);
    // The responder sends the commands above the limit again.
    else if (this.#waitingCommands.length < MAX_RUNNING) this.#waitingCommands.push(command);
  }

  /** Keeps the interest until the responder is known to be in force, because an interest can blind the sensor. */
  #onInterest(interest: WireInterest): void {
    this.#waitingInterest = interest;
    this.#judge();
  }

  async #execute(command: Uint8Array): Promise<void> {
    if (++this.#running >= MAX_RUNNING) this.#call.pause();
    try {
      await this.#deps.results.execute(command);
    } catch (error) {
      this.#deps.log.error({ error: messageOf(error) }, 'a command failed: the responder will send it again');
    } finally {
      if (--this.#running < MAX_RUNNING && this.#call.isPaused()) this.#call.resume();
    }
  }

  async #setInterest(interest: WireInterest): Promise<void> {
    try {
      await this.#deps.control.setInterest(interestFromWire(interest));
    } catch (error) {
      const facts = { version: interest.version, error: messageOf(error) };
      this.#deps.log.error(facts, 'the interest could not be set: the previous one stays in force');
    }
  }
}
