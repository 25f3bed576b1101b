export type EnricherErrorCode =
  | 'ERR_ENRICHER_UNKNOWN_HOST'
  | 'ERR_ENRICHER_SIGNATURE'
  | 'ERR_ENRICHER_KEY'
  | 'ERR_ENRICHER_BOUNDS';

/** A batch that can't be trusted or processed. Always poison: the same bytes will fail again. */
export class EnricherError extends Error {
  readonly code: EnricherErrorCode;
  readonly fate = 'poison';
  readonly hostId: string;

  constructor(code: EnricherErrorCode, hostId: string, message: string) {
    super(`batch of host ${JSON.stringify(hostId.slice(0, 64))}: ${message}`);
    this.name = 'EnricherError';
    this.code = code;
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
      `state entry ${JSON.stringify(key.slice(0, 200))} can't be restored: ${why}; delete the store to start anew`,
      {
        cause,
      },
    );
    this.name = 'EnricherStateError';
    this.key = key;
  }
}
