import type { Interest } from '@ringfence/interest';

/** The one port between responder and agent (DESIGN §5): a call in one process, a gRPC/mTLS stream in a fleet. Bytes, so that what was signed is what is verified. */
export interface Control {
  readonly hostId: string;
  /** `command` is a framed, signed Command; resolves to a framed Result. Never rejects for a bad command: it refuses it, with the reason in the Result. */
  execute(command: Uint8Array): Promise<Uint8Array>;
  /** Tells the sensor what any rule, policy or audit setting can match. */
  setInterest(interest: Interest): Promise<void>;
}
