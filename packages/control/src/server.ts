import { Server, status } from '@grpc/grpc-js';
import { hasRole, type Peer, peerOf } from '@ringfence/identity';
import { type Enrolment, encode, type Interest } from '@ringfence/schema';
import { AgentStream, type Call, endCall } from './agent-stream.ts';
import { ControlListenError, NotAttachedError } from './errors.ts';
import { checkHello, checkStanding, type HelloRefusal } from './hello.ts';
import { messageOf } from './log.ts';
import { commandId, readResult } from './records.ts';
import type { ControlServer, ControlServerStats, Cut, ServeControlOptions } from './server-options.ts';
import { ServedCredentials } from './tls.ts';
import { channelOptions, interestToWire, type ReadFromAgent, SILENT_AFTER, service } from './wire.ts';

const CLOSING_MS = 1000;

/** Listens for agents. Rejects with ControlListenError when it can't. */
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
  readonly #cut: Record<Cut, number> = {
    refused: 0,
    full: 0,
    replaced: 0,
    silent: 0,
    'not-in-force': 0,
    misbehaved: 0,
    'not-stored': 0,
  };
  /** framed Enrolments of the responders, by subject and key id */
  readonly #responders = new Map<string, Uint8Array>();
  readonly #inForce = (serial: string): boolean => this.#options.enrolments.isInForce(serial);
  readonly #watch: Disposable;
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
    for (const enrolment of options.enrolments.withRole('responder')) this.#learn(enrolment);
    this.#watch = options.enrolments.onChange((enrolment) => this.#learn(enrolment));
    this.#server.addService(service, { Attach: (call: Call) => this.#serve(call) });
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
    this.#timer = setInterval(() => this.#beat(), this.#heartbeatMs).unref();
  }

  attached(hostId: string): boolean {
    return this.#agents.has(hostId);
  }

  async execute(hostId: string, command: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const agent = this.#agents.get(hostId);
    if (agent === undefined) throw new NotAttachedError(hostId);
    const id = commandId(command);
    const first = !agent.waiters.has(id);
    const answer = agent.waiters.wait(id, signal);
    if (first && !agent.announced.has(id)) {
      this.#commands++;
      agent.send({ command });
    }
    return answer;
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
      cut: { ...this.#cut },
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#watch[Symbol.dispose]();
    for (const agent of this.#agents.values()) agent.end(status.UNAVAILABLE, 'this responder goes away');
    const { promise, resolve } = Promise.withResolvers<void>();
    // Those who are half through a handshake, or whose machine has gone, are not waited for.
    const force = setTimeout(() => {
      this.#server.forceShutdown();
      resolve();
    }, CLOSING_MS);
    this.#server.tryShutdown(() => resolve());
    await promise;
    clearTimeout(force);
    this.#credentials[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A whole stream: hello, then whatever the agent says, until it ends. Not by `for await`, which would destroy the stream before its status is sent. */
  #serve(call: Call): void {
    const { helloTimeoutMs = 5000, log } = this.#options;
    let agent: AgentStream | null = null;
    let over = false;
    const end = (reason: string): void => {
      if (over) return;
      over = true;
      clearTimeout(late);
      if (agent !== null) this.#detach(agent);
      log.info({ host: agent?.hostId, peer: call.getPeer(), reason }, 'control stream ended');
    };
    const late = setTimeout(() => this.#refuse(call, null, status.DEADLINE_EXCEEDED, 'no hello came'), helloTimeoutMs);
    call.on('error', (error: Error) => end(error.message));
    call.on('cancelled', () => end('the agent left'));
    call.on('end', () => {
      end('the agent left');
      call.end();
    });
    call.on('data', (message: ReadFromAgent) => {
      if (over) return;
      if (agent !== null) return this.#take(agent, call, message);
      clearTimeout(late);
      agent = this.#welcome(call, message);
    });
  }

  #welcome(call: Call, message: ReadFromAgent): AgentStream | null {
    const { log, maxAgents = 20_000 } = this.#options;
    const peer = peerOf(call.getAuthContext().sslPeerCertificate);
    const hello = checkHello(message, peer, this.#inForce);
    if ('reason' in hello || peer === null) {
      const { code, reason } = hello as HelloRefusal;
      return this.#refuse(call, peer, code, reason);
    }
    const before = this.#agents.get(hello.hostId);
    if (before !== undefined) this.#end(before, 'replaced', status.ABORTED, 'a newer stream of this host came');
    else if (this.#agents.size >= maxAgents) {
      return this.#refuse(
        call,
        peer,
        status.RESOURCE_EXHAUSTED,
        'this responder has all the agents it can hold',
        'full',
      );
    }
    const agent = new AgentStream(call, hello, peer);
    this.#agents.set(agent.hostId, agent);
    agent.send({ welcome: { heartbeatMs: this.#heartbeatMs } });
    for (const enrolment of this.#responders.values()) agent.send({ enrolment });
    if (this.#interest !== null) agent.send({ interest: interestToWire(this.#interest) });
    const { agentVersion, unacknowledged } = hello;
    log.info({ host: agent.hostId, agentVersion, unacknowledged: unacknowledged.length }, 'agent attached');
    for (const listener of [...this.#onAttach]) listener(agent.hostId);
    return agent;
  }

  #refuse(call: Call, peer: Peer | null, code: status, reason: string, cut: Cut = 'refused'): null {
    this.#cut[cut]++;
    this.#options.log.warn({ subject: peer?.subject, peer: call.getPeer() }, `control stream refused: ${reason}`);
    endCall(call, code, reason);
    return null;
  }

  #take(agent: AgentStream, call: Call, { result }: ReadFromAgent): void {
    agent.heard = performance.now();
    if (result === undefined) return;
    const read = readResult(result);
    if (read === null || read.hostId !== agent.hostId) {
      this.#end(agent, 'misbehaved', status.INVALID_ARGUMENT, 'that is no Result of this host');
      return;
    }
    this.#results++;
    agent.announced.delete(read.id);
    if (agent.waiters.answer(read.id, result)) return;
    // One at a time: an agent has no more of our memory than that.
    call.pause();
    void this.#store(agent, read.id, result).finally(() => call.resume());
  }

  /** A Result that came after a reconnect. Never rejects. */
  async #store(agent: AgentStream, id: string, result: Uint8Array): Promise<void> {
    this.#resumed++;
    agent.storing = true;
    try {
      await this.#options.onResult(agent.hostId, result);
      agent.send({ acknowledge: id });
    } catch (error) {
      this.#options.log.warn({ host: agent.hostId, command: id, error: messageOf(error) }, 'a Result was not stored');
      // It comes again with the next stream.
      this.#end(agent, 'not-stored', status.UNAVAILABLE, 'the Result could not be stored: come again');
    } finally {
      agent.storing = false;
      agent.heard = performance.now();
    }
  }

  /** An agent whose certificate was taken back goes at once; a responder's key that is new, or taken back, is told to all. */
  #learn(enrolment: Enrolment): void {
    const agent = this.#agents.get(enrolment.subject);
    if (agent !== undefined) this.#cutUnlessInForce(agent);
    if (!hasRole(enrolment, 'responder')) return;
    const record = encode('Enrolment', enrolment);
    this.#responders.set(`${enrolment.subject}/${enrolment.signingKeyId}`, record);
    for (const one of this.#agents.values()) one.send({ enrolment: record });
  }

  #cutUnlessInForce(agent: AgentStream): boolean {
    const refusal = checkStanding(agent.peer, this.#inForce);
    if (refusal !== null) this.#end(agent, 'not-in-force', refusal.code, refusal.reason);
    return refusal !== null;
  }

  #beat(): void {
    const limit = performance.now() - this.#heartbeatMs * SILENT_AFTER;
    for (const agent of this.#agents.values()) {
      if (this.#cutUnlessInForce(agent)) continue;
      if (agent.heard < limit && !agent.storing) {
        this.#end(agent, 'silent', status.DEADLINE_EXCEEDED, 'the agent has gone silent');
      } else agent.send({ heartbeat: {} });
    }
  }

  #end(agent: AgentStream, cut: Cut, code: status, reason: string): void {
    this.#cut[cut]++;
    agent.end(code, reason);
    this.#detach(agent);
  }

  #detach(agent: AgentStream): void {
    if (this.#agents.get(agent.hostId) !== agent) return;
    this.#agents.delete(agent.hostId);
    agent.end(status.CANCELLED, 'the stream ended');
  }
}
