/** The one port between responder and agent (DESIGN §5): a call in one process, a gRPC/mTLS stream in a fleet. Bytes, so that what was signed is what is verified. */
export interface Control {
  readonly hostId: string;
  /** `command` is a framed, signed Command; resolves to a framed Result. Never rejects for a bad command: it refuses it, with the reason in the Result. */
  execute(command: Uint8Array): Promise<Uint8Array>;
  /** Tells the sensor what any rule, policy or audit setting can match. */
  setInterest(interest: Interest): Promise<void>;
}

/** What the loaded content can match; what it cannot match does not leave the kernel. Opens to write or create do in any case. */
export interface Interest {
  readonly version: number;
  /** null: every open. Otherwise an open that only reads leaves the kernel when its path begins with one of these ... */
  readonly openPathPrefixes: readonly string[] | null;
  /** ... or its last component is one of these. */
  readonly openNames: readonly string[];
}
