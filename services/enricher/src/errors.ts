export type EnricherErrorCode =
  | 'ERR_ENRICHER_UNKNOWN_HOST'
  | 'ERR_ENRICHER_SIGNATURE'
  | 'ERR_ENRICHER_REVOKED'
  | 'ERR_ENRICHER_KEY'
  | 'ERR_ENRICHER_BOUNDS';

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
  readonly code = 'ERR_ENRICHER_STATE';
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
