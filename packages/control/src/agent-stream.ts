import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Peer } from '@ringfence/identity';
import { ControlLostError } from './errors.ts';
import { Waiters } from './waiters.ts';
import type { Hello, ReadFromAgent, ToAgent } from './wire.ts';

/** Messages waiting for an agent that does not read. */
const MAX_QUEUED = 1024;

export type Call = ServerDuplexStream<ReadFromAgent, ToAgent>;

/** One agent's stream, at the responder. */
export class AgentStream {
  readonly hostId: string;
  readonly hello: Hello;
  readonly peer: Peer;
  readonly waiters: Waiters = new Waiters();
  /** ids of Results that are on their way up */
  readonly announced: Set<string>;
  /** ms of a clock that never goes back: when it was last heard of */
  heard: number = performance.now();
  /** a Result of it is being stored: it is not silent, we are busy */
  storing = false;
  readonly #call: Call;
  #ended = false;

  constructor(call: Call, hello: Hello, peer: Peer) {
    this.hostId = hello.hostId;
    this.hello = hello;
    this.peer = peer;
    this.announced = new Set(hello.unacknowledged);
    this.#call = call;
  }

  send(message: ToAgent): void {
    if (this.#ended) return;
    this.#call.write(message);
    if (this.#call.writableLength > MAX_QUEUED) this.end(status.RESOURCE_EXHAUSTED, 'the agent does not read');
  }

  /** Ends the stream with a reason the agent is told; whoever waits for an answer hears that it will not come. */
  end(code: status, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.waiters.fail(new ControlLostError(this.hostId, reason));
    endCall(this.#call, code, reason);
  }
}

export function endCall(call: Call, code: status, details: string): void {
  call.emit('error', Object.assign(new Error(details), { code, details }));
}
