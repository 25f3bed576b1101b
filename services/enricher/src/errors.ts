export type EnricherErrorCode =
  /** No signing key is enrolled for the host of this batch. Enrol the agent, or find out who sends in its name. */
  | 'ERR_ENRICHER_UNKNOWN_HOST'
  /**
   * The signature is not that of the host's enrolled key; the batch goes to the dead letters. Find out who sends in
   * the host's name.
   */
  | 'ERR_ENRICHER_SIGNATURE'
  /** The key of the batch was revoked. Enrol the agent anew, or find out who still has the old key. */
  | 'ERR_ENRICHER_REVOKED'
  /** The batch claims another host than its key on the bus. Find the program that writes to the topic. */
  | 'ERR_ENRICHER_KEY'
  /**
   * The batch has values that no agent sends, or doesn't fit a record with its context; it goes to the dead letters.
   * Find the program that writes to the topic, or report it as a bug if it is the agent.
   */
  | 'ERR_ENRICHER_BOUNDS'
  /** A state entry can't be restored, so the service stops. Run the version that wrote it, or clear the store. */
  | 'ERR_ENRICHER_STATE';

/** A batch that can't be trusted or processed: poison, but for one whose host's enrolment may still be on its way. */
export class EnricherError extends Error {
  readonly code: EnricherErrorCode;
  readonly fate: 'poison' | 'retriable';
  readonly hostId: string;

  constructor(code: EnricherErrorCode, hostId: string, message: string, fate: 'poison' | 'retriable' = 'poison') {
    super(`batch of host ${JSON.stringify(hostId.slice(0, 64))}: ${message}`);
    this.name = 'EnricherError';
    this.code = code;
    this.fate = fate;
    this.hostId = hostId;
  }
}

/** A state entry that this version can't read: the service stops rather than go on with half its memory. */
export class EnricherStateError extends Error {
  readonly code: EnricherErrorCode = 'ERR_ENRICHER_STATE';
  readonly key: string;

  constructor(key: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `state entry ${JSON.stringify(key.slice(0, 200))} can't be restored: ${why}: run the version that wrote it, or clear the store`,
      { cause },
    );
    this.name = 'EnricherStateError';
    this.key = key;
  }
}
