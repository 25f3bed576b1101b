import type { Interest } from '@ringfence/interest';

/**
 * The port between responder and agent: a call in one process, a gRPC/mTLS stream in a fleet. It passes
 * bytes, so that the agent verifies exactly the bytes that were signed.
 */
export interface Control {
  readonly hostId: string;
  /**
   * Executes a framed, signed Command and resolves to a framed Result. Does not reject for a bad command: the Result
   * has the reason of the refusal.
   */
  execute(command: Uint8Array): Promise<Uint8Array>;
  /** Sets the events that rules, policies or audit settings can match, for the sensor. */
  setInterest(interest: Interest): Promise<void>;
}
