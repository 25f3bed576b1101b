import { Client, type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import { type Log, messageOf } from '@ringfence/base';
import type { TlsSource, TrustedKeys } from '@ringfence/identity';
import type { Control } from './agent-control.ts';
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

export interface SessionDeps {
  readonly endpoint: string;
  readonly tls: TlsSource;
  readonly control: Control;
  readonly results: ResultCache;
  readonly trusted: Pick<TrustedKeys, 'add'>;
  readonly hello: Omit<Hello, 'unacknowledged'>;
  readonly welcomeTimeoutMs: number;
  readonly log: Log;
  /** Called when the responder has accepted this agent */
  readonly onWelcome: () => void;
  /** Ends the session */
  readonly signal: AbortSignal;
}

export interface SessionEnd {
  readonly welcomed: boolean;
  readonly reason: string;
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
  #welcomed = false;
  #stopped = false;
  #running = 0;
  #lastMessageMs = 0;
  #timer: NodeJS.Timeout;

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

  #stop(reason: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#call.cancel();
    this.#client.close();
    this.#disconnect.abort();
    this.#end({ welcomed: this.#welcomed, reason });
  }

  #send(message: FromAgent): void {
    if (!this.#stopped) this.#call.write(message);
  }

  #onMessage(message: ReceivedToAgent): void {
    if (this.#stopped) return;
    const { results } = this.#deps;
    this.#lastMessageMs = performance.now();
    if (message.welcome !== undefined) this.#welcome(message.welcome.heartbeatMs);
    else if (!this.#welcomed) this.#stop('the responder sent a message before its welcome');
    else if (message.command !== undefined) void this.#execute(message.command);
    else if (message.enrolment !== undefined) this.#deps.trusted.add(message.enrolment);
    else if (message.interest !== undefined) void this.#setInterest(message.interest);
    else if (message.acknowledge !== undefined) results.acknowledge(message.acknowledge);
  }

  /** Starts the heartbeats and sends the unacknowledged Results. */
  #welcome(intervalMs: number): void {
    if (this.#welcomed) return;
    this.#welcomed = true;
    clearTimeout(this.#timer);
    const { results, onWelcome } = this.#deps;
    const heartbeatMs = Math.min(Math.max(intervalMs, MIN_HEARTBEAT_MS), MAX_HEARTBEAT_MS);
    this.#timer = setInterval(() => {
      if (performance.now() - this.#lastMessageMs > heartbeatMs * MISSED_HEARTBEATS)
        this.#stop('no message from the responder');
      else this.#send({ heartbeat: {} });
    }, heartbeatMs);
    onWelcome();
    const delivery = results.deliverTo((result) => this.#send({ result }));
    void this.ended.then(() => delivery[Symbol.dispose]());
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

  async #setInterest(interest: Parameters<typeof interestFromWire>[0]): Promise<void> {
    try {
      await this.#deps.control.setInterest(interestFromWire(interest));
    } catch (error) {
      const facts = { version: interest.version, error: messageOf(error) };
      this.#deps.log.error(facts, 'the interest could not be set: the previous one stays in force');
    }
  }
}
