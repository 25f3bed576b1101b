import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Peer } from '@ringfence/identity';
import { ControlLostError } from './errors.ts';
import { Waiters } from './waiters.ts';
import type { Hello, ReceivedFromAgent, ToAgent } from './wire.ts';

/** Maximum number of queued messages for an agent that does not read. */
const MAX_QUEUED = 1024;

export type Call = ServerDuplexStream<ReceivedFromAgent, ToAgent>;

/** The responder's side of one agent's stream. */
export class AgentStream {
  readonly hostId: string;
  readonly hello: Hello;
  readonly peer: Peer;
  readonly waiters: Waiters = new Waiters();
  /** Command ids of Results that the agent is about to send */
  readonly pendingResults: Set<string>;
  /** Monotonic time of the last message from the agent, ms */
  lastMessageMs: number = performance.now();
  /** Whether a Result of this agent is being stored: reading is paused, so missing heartbeats do not count */
  storing = false;
  readonly #call: Call;
  #ended = false;

  constructor(call: Call, hello: Hello, peer: Peer) {
    this.hostId = hello.hostId;
    this.hello = hello;
    this.peer = peer;
    this.pendingResults = new Set(hello.unacknowledged);
    this.#call = call;
  }

  send(message: ToAgent): void {
    if (this.#ended) return;
    this.#call.write(message);
    if (this.#call.writableLength > MAX_QUEUED) this.end(status.RESOURCE_EXHAUSTED, 'the agent does not read');
  }

  /** Ends the stream with a reason for the agent, and rejects all pending calls with ControlLostError. */
  end(code: status, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.waiters.rejectAll(new ControlLostError(this.hostId, reason));
    endCall(this.#call, code, reason);
  }
}

export function endCall(call: Call, code: status, details: string): void {
  call.emit('error', Object.assign(new Error(details), { code, details }));
}
