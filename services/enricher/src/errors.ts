import { BatchError, StateEntryError } from '@ringfence/service-kit';

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

/** A batch that cannot be trusted or processed. It is poison, unless the enrolment of its host may still arrive. */
export class EnricherError extends BatchError<EnricherErrorCode> {
  constructor(code: EnricherErrorCode, hostId: string, message: string, fate?: 'poison' | 'retriable') {
    super(code, 'batch of host', hostId, message, fate);
  }
}

/** A state entry that this version cannot read. The service stops, because a part of its state would be missing. */
export class EnricherStateError extends StateEntryError<EnricherErrorCode> {
  constructor(key: string, cause: unknown) {
    super('ERR_ENRICHER_STATE', key, cause);
  }
}
