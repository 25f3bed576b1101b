import { Client, type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import type { TlsSource, TrustedKeys } from '@ringfence/identity';
import type { Control } from '@ringfence/schema';
import type { Answers } from './answers.ts';
import { type ControlLog, messageOf } from './log.ts';
import { ResponderCredentials } from './tls.ts';
import {
  attach,
  channelOptions,
  type FromAgent,
  type Hello,
  interestFromWire,
  type ReadToAgent,
  SILENT_AFTER,
} from './wire.ts';

/** Commands at work at once; further ones wait in the stream. */
const MAX_RUNNING = 64;
const MIN_HEARTBEAT_MS = 10;
const MAX_HEARTBEAT_MS = 60_000;

export interface SessionDeps {
  readonly endpoint: string;
  readonly tls: TlsSource;
  readonly control: Control;
  readonly answers: Answers;
  readonly trusted: Pick<TrustedKeys, 'add'>;
  readonly hello: Omit<Hello, 'unacknowledged'>;
  readonly welcomeTimeoutMs: number;
  readonly log: ControlLog;
  /** the responder has taken us */
  readonly onWelcome: () => void;
  /** ends the session */
  readonly signal: AbortSignal;
}

export interface SessionEnd {
  readonly welcomed: boolean;
  readonly reason: string;
}

/** One stream to one responder, from its hello to its end. Never rejects. */
export function runSession(deps: SessionDeps): Promise<SessionEnd> {
  return new Session(deps).ended;
}

class Session {
  readonly ended: Promise<SessionEnd>;
  readonly #deps: SessionDeps;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<FromAgent, ReadToAgent>;
  readonly #end: (end: SessionEnd) => void;
  /** aborts when the session ends */
  readonly #connections = new AbortController();
  #welcomed = false;
  #over = false;
  #running = 0;
  #heard = 0;
  #timer: NodeJS.Timeout;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    const { endpoint, tls, signal, welcomeTimeoutMs } = deps;
    ({ promise: this.ended, resolve: this.#end } = Promise.withResolvers<SessionEnd>());
    this.#client = new Client(endpoint, new ResponderCredentials(tls, this.#connections.signal), {
      ...channelOptions,
      // Its own connection, made with the certificate of now; this program knows better when to try again, and where.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
    });
    const { path, requestSerialize, responseDeserialize } = attach;
    this.#call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#timer = setTimeout(() => this.#stop(`no welcome within ${welcomeTimeoutMs} ms`), welcomeTimeoutMs);
    const abort = (): void => this.#stop('ended here');
    signal.addEventListener('abort', abort, { once: true });
    void this.ended.then(() => signal.removeEventListener('abort', abort));
    this.#call.on('data', (message: ReadToAgent) => this.#take(message));
    this.#call.on('error', (error: ServiceError) => this.#stop(`${status[error.code]}: ${error.details}`));
    this.#call.on('end', () => this.#stop('the responder ended it'));
    this.#send({ hello: { ...deps.hello, unacknowledged: deps.answers.ids } });
    if (signal.aborted) abort();
  }

  #stop(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#call.cancel();
    this.#client.close();
    this.#connections.abort();
    this.#end({ welcomed: this.#welcomed, reason });
  }

  #send(message: FromAgent): void {
    if (!this.#over) this.#call.write(message);
  }

  #take(message: ReadToAgent): void {
    if (this.#over) return;
    const { answers } = this.#deps;
    this.#heard = performance.now();
    if (message.welcome !== undefined) this.#welcome(message.welcome.heartbeatMs);
    else if (!this.#welcomed) this.#stop('the responder spoke before its welcome');
    else if (message.command !== undefined) void this.#execute(message.command);
    else if (message.enrolment !== undefined) this.#deps.trusted.add(message.enrolment);
    else if (message.interest !== undefined) void this.#setInterest(message.interest);
    else if (message.acknowledge !== undefined) answers.acknowledged(message.acknowledge);
  }

  /** The Results of before follow at once; then each side says every now and then that it is there. */
  #welcome(said: number): void {
    if (this.#welcomed) return;
    this.#welcomed = true;
    clearTimeout(this.#timer);
    const { answers, onWelcome } = this.#deps;
    const heartbeatMs = Math.min(Math.max(said, MIN_HEARTBEAT_MS), MAX_HEARTBEAT_MS);
    this.#timer = setInterval(() => {
      if (performance.now() - this.#heard > heartbeatMs * SILENT_AFTER) this.#stop('the responder has gone silent');
      else this.#send({ heartbeat: {} });
    }, heartbeatMs);
    onWelcome();
    const delivery = answers.deliverTo((result) => this.#send({ result }));
    void this.ended.then(() => delivery[Symbol.dispose]());
  }

  async #execute(command: Uint8Array): Promise<void> {
    if (++this.#running >= MAX_RUNNING) this.#call.pause();
    try {
      await this.#deps.answers.take(command);
    } catch (error) {
      this.#deps.log.error({ error: messageOf(error) }, 'a command could not be carried out: the responder asks again');
    } finally {
      if (--this.#running < MAX_RUNNING && this.#call.isPaused()) this.#call.resume();
    }
  }

  async #setInterest(interest: Parameters<typeof interestFromWire>[0]): Promise<void> {
    try {
      await this.#deps.control.setInterest(interestFromWire(interest));
    } catch (error) {
      const facts = { version: interest.version, error: messageOf(error) };
      this.#deps.log.error(facts, 'the interest could not be set: what was sent before stays in force');
    }
  }
}
