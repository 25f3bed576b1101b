import { Server, status } from '@grpc/grpc-js';
import { messageOf } from '@ringfence/base';
import { hasRole, type Peer, peerOf } from '@ringfence/identity';
import type { Interest } from '@ringfence/interest';
import { type Enrolment, encode } from '@ringfence/wire';
import { AgentStream, type Call, endCall } from './agent-stream.ts';
import { ControlListenError, NotAttachedError } from './errors.ts';
import { checkHello, checkInForce, type HelloRefusal } from './hello.ts';
import { commandId, readResult } from './records.ts';
import type { ControlServer, ControlServerStats, DisconnectReason, ServeControlOptions } from './server-options.ts';
import { ServedCredentials } from './tls.ts';
import { channelOptions, interestToWire, MISSED_HEARTBEATS, type ReceivedFromAgent, service } from './wire.ts';

const SHUTDOWN_TIMEOUT_MS = 1000;

/** Listens for agents. Rejects with ControlListenError when the address cannot be bound. */
export async function serveControl(options: ServeControlOptions): Promise<ControlServer> {
  const server = new AgentServer(options);
  await server.listen();
  return server;
}

class AgentServer implements ControlServer {
  port = 0;
  readonly #options: ServeControlOptions;
  readonly #heartbeatMs: number;
  readonly #credentials: ServedCredentials;
  readonly #server: Server;
  readonly #agents = new Map<string, AgentStream>();
  readonly #onAttach = new Set<(hostId: string) => void>();
  readonly #disconnects: Record<DisconnectReason, number> = {
    refused: 0,
    full: 0,
    replaced: 0,
    silent: 0,
    'not-in-force': 0,
    misbehaved: 0,
    'not-stored': 0,
  };
  /** Framed Enrolments of the responders, by subject and key id */
  readonly #responders = new Map<string, Uint8Array>();
  readonly #isInForce = (serial: string): boolean => this.#options.enrolments.isInForce(serial);
  readonly #watch: DisposableStack = new DisposableStack();
  #interest: Interest | null = null;
  #commands = 0;
  #results = 0;
  #resumed = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ServeControlOptions) {
    this.#options = options;
    this.#heartbeatMs = options.heartbeatMs ?? 10_000;
    this.#credentials = new ServedCredentials(options.tls);
    this.#server = new Server({
      ...channelOptions,
      'grpc.max_concurrent_streams': 4,
      'grpc.max_connection_idle_ms': 30_000,
    });
    for (const enrolment of options.enrolments.withRole('responder')) this.#onEnrolment(enrolment);
    this.#watch.use(options.enrolments.onChange((enrolment) => this.#onEnrolment(enrolment)));
    this.#watch.use(options.standing.onChange(() => this.#onStanding()));
    this.#server.addService(service, { Attach: (call: Call) => this.#onStream(call) });
  }

  async listen(): Promise<void> {
    const { host = '127.0.0.1', port } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#server.bindAsync(address, this.#credentials, (cause, bound) => {
      if (cause === null) resolve(bound);
      else reject(new ControlListenError(address, cause));
    });
    this.port = await promise;
    this.#timer = setInterval(() => this.#checkAgents(), this.#heartbeatMs).unref();
  }

  attached(hostId: string): boolean {
    return this.#agents.has(hostId);
  }

  async execute(hostId: string, command: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const agent = this.#agents.get(hostId);
    if (agent === undefined) throw new NotAttachedError(hostId);
    const id = commandId(command);
    const isFirst = !agent.waiters.has(id);
    const result = agent.waiters.wait(id, signal);
    if (isFirst && !agent.pendingResults.has(id)) {
      this.#commands++;
      agent.send({ command });
    }
    return result;
  }

  acknowledge(hostId: string, commandId: string): void {
    this.#agents.get(hostId)?.send({ acknowledge: commandId });
  }

  async setInterest(interest: Interest): Promise<void> {
    if (this.#interest !== null && interest.version < this.#interest.version) return;
    this.#interest = interest;
    for (const agent of this.#agents.values()) agent.send({ interest: interestToWire(interest) });
  }

  onAttach(listener: (hostId: string) => void): Disposable {
    const present = [...this.#agents.keys()];
    queueMicrotask(() => {
      for (const hostId of present) if (this.#onAttach.has(listener) && this.attached(hostId)) listener(hostId);
    });
    this.#onAttach.add(listener);
    return { [Symbol.dispose]: () => void this.#onAttach.delete(listener) };
  }

  stats(): ControlServerStats {
    let waiting = 0;
    for (const { waiters } of this.#agents.values()) waiting += waiters.size;
    return {
      attached: this.#agents.size,
      waiting,
      commands: this.#commands,
      results: this.#results,
      resumed: this.#resumed,
      disconnects: { ...this.#disconnects },
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#watch.dispose();
    for (const agent of this.#agents.values()) agent.end(status.UNAVAILABLE, 'this responder is shutting down');
    const { promise, resolve } = Promise.withResolvers<void>();
    // Do not wait for unfinished handshakes, or for peers whose machine is gone.
    const force = setTimeout(() => {
      this.#server.forceShutdown();
      resolve();
    }, SHUTDOWN_TIMEOUT_MS);
    this.#server.tryShutdown(() => resolve());
    await promise;
    clearTimeout(force);
    this.#credentials[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Handles one stream: the hello, then all messages until it ends. `for await` would destroy the stream before its
   * status is sent.
   */
  #onStream(call: Call): void {
    const { helloTimeoutMs = 5000, log } = this.#options;
    let agent: AgentStream | null = null;
    let ended = false;
    const end = (reason: string): void => {
      if (ended) return;
      ended = true;
      clearTimeout(helloTimer);
      if (agent !== null) this.#detach(agent);
      log.info({ host: agent?.hostId, peer: call.getPeer(), reason }, 'control stream ended');
    };
    const helloTimer = setTimeout(
      () => this.#refuse(call, null, status.DEADLINE_EXCEEDED, 'no hello arrived in time'),
      helloTimeoutMs,
    );
    call.on('error', (error: Error) => end(error.message));
    call.on('cancelled', () => end('the agent cancelled the stream'));
    call.on('end', () => {
      end('the agent closed the stream');
      call.end();
    });
    call.on('data', (message: ReceivedFromAgent) => {
      if (ended) return;
      if (agent !== null) return this.#onMessage(agent, call, message);
      clearTimeout(helloTimer);
      agent = this.#welcome(call, message);
    });
  }

  #welcome(call: Call, message: ReceivedFromAgent): AgentStream | null {
    const { log, maxAgents = 20_000 } = this.#options;
    const peer = peerOf(call.getAuthContext().sslPeerCertificate);
    const hello = checkHello(message, peer, this.#isInForce);
    if ('reason' in hello || peer === null) {
      const { code, reason } = hello as HelloRefusal;
      return this.#refuse(call, peer, code, reason);
    }
    const previous = this.#agents.get(hello.hostId);
    if (previous !== undefined)
      this.#end(previous, 'replaced', status.ABORTED, 'replaced by a newer stream of this host');
    else if (this.#agents.size >= maxAgents) {
      return this.#refuse(
        call,
        peer,
        status.RESOURCE_EXHAUSTED,
        'this responder has reached its limit of agents',
        'full',
      );
    }
    const agent = new AgentStream(call, hello, peer);
    this.#agents.set(agent.hostId, agent);
    agent.send({ welcome: { heartbeatMs: this.#heartbeatMs } });
    // Before all else: the agent obeys nobody without it.
    this.#sendStanding(agent);
    for (const enrolment of this.#responders.values()) agent.send({ enrolment });
    if (this.#interest !== null) agent.send({ interest: interestToWire(this.#interest) });
    const { agentVersion, unacknowledged } = hello;
    log.info({ host: agent.hostId, agentVersion, unacknowledged: unacknowledged.length }, 'agent attached');
    for (const listener of [...this.#onAttach]) listener(agent.hostId);
    return agent;
  }

  #refuse(call: Call, peer: Peer | null, code: status, details: string, reason: DisconnectReason = 'refused'): null {
    this.#disconnects[reason]++;
    this.#options.log.warn({ subject: peer?.subject, peer: call.getPeer() }, `control stream refused: ${details}`);
    endCall(call, code, details);
    return null;
  }

  #onMessage(agent: AgentStream, call: Call, { result }: ReceivedFromAgent): void {
    agent.lastMessageMs = performance.now();
    if (result === undefined) return;
    const decoded = readResult(result);
    if (decoded === null || decoded.hostId !== agent.hostId) {
      this.#end(agent, 'misbehaved', status.INVALID_ARGUMENT, 'the message is not a Result of this host');
      return;
    }
    this.#results++;
    agent.pendingResults.delete(decoded.id);
    if (agent.waiters.resolve(decoded.id, result)) return;
    // Store one Result at a time, to bound the memory that an agent can use.
    call.pause();
    void this.#store(agent, decoded.id, result).finally(() => call.resume());
  }

  /** Stores a Result that arrived after a reconnect. Never rejects. */
  async #store(agent: AgentStream, id: string, result: Uint8Array): Promise<void> {
    this.#resumed++;
    agent.storing = true;
    try {
      await this.#options.onResult(agent.hostId, result);
      agent.send({ acknowledge: id });
    } catch (error) {
      this.#options.log.warn(
        { host: agent.hostId, command: id, error: messageOf(error) },
        'a Result could not be stored',
      );
      // The agent sends it again on its next stream.
      this.#end(agent, 'not-stored', status.UNAVAILABLE, 'the Result could not be stored: send it again');
    } finally {
      agent.storing = false;
      agent.lastMessageMs = performance.now();
    }
  }

  /** Disconnects an agent whose certificate was revoked, and sends new or revoked responder keys to all agents. */
  #onEnrolment(enrolment: Enrolment): void {
    const agent = this.#agents.get(enrolment.subject);
    if (agent !== undefined) this.#disconnectUnlessInForce(agent);
    if (!hasRole(enrolment, 'responder')) return;
    const record = encode('Enrolment', enrolment);
    this.#responders.set(`${enrolment.subject}/${enrolment.signingKeyId}`, record);
    for (const agent of this.#agents.values()) agent.send({ enrolment: record });
  }

  #onStanding(): void {
    for (const agent of this.#agents.values()) this.#sendStanding(agent);
  }

  #sendStanding(agent: AgentStream): void {
    const { bytes } = this.#options.standing;
    if (bytes !== null) agent.send({ standing: bytes });
  }

  #disconnectUnlessInForce(agent: AgentStream): boolean {
    const refusal = checkInForce(agent.peer, this.#isInForce);
    if (refusal !== null) this.#end(agent, 'not-in-force', refusal.code, refusal.reason);
    return refusal !== null;
  }

  #checkAgents(): void {
    const limit = performance.now() - this.#heartbeatMs * MISSED_HEARTBEATS;
    for (const agent of this.#agents.values()) {
      if (this.#disconnectUnlessInForce(agent)) continue;
      if (agent.lastMessageMs < limit && !agent.storing) {
        this.#end(agent, 'silent', status.DEADLINE_EXCEEDED, 'no message from the agent');
      } else agent.send({ heartbeat: {} });
    }
  }

  #end(agent: AgentStream, reason: DisconnectReason, code: status, details: string): void {
    this.#disconnects[reason]++;
    agent.end(code, details);
    this.#detach(agent);
  }

  #detach(agent: AgentStream): void {
    if (this.#agents.get(agent.hostId) !== agent) return;
    this.#agents.delete(agent.hostId);
    agent.end(status.CANCELLED, 'the stream ended');
  }
}
