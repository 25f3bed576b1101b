export type DetectorErrorCode =
  /**
   * A record lies under the key of another host, edge or partition; it goes to the dead letters. Find the program
   * that writes to the topic.
   */
  | 'ERR_DETECTOR_KEY'
  /**
   * A record has values that no service writes, such as a text that is too long; it goes to the dead letters. Find
   * the program that writes to the topic.
   */
  | 'ERR_DETECTOR_BOUNDS'
  /**
   * No enrolled service of the right role has signed the record; it goes to the dead letters. Find the program that
   * writes to the topic; if it is a new service, check its enrolment.
   */
  | 'ERR_DETECTOR_FORGED'
  /** A state entry can't be restored, so the service stops. Run the version that wrote it, or clear the store. */
  | 'ERR_DETECTOR_STATE'
  /** Rule files can't be read at the start. Correct the paths in `detector.rules` or on the command line. */
  | 'ERR_DETECTOR_RULE_FILES';

/** A record that can't be trusted or processed. Retriable while the enrolment of its writer may arrive, else poison. */
export class DetectorError extends Error {
  readonly code: DetectorErrorCode;
  readonly fate: 'poison' | 'retriable';
  readonly hostId: string;

  constructor(code: DetectorErrorCode, hostId: string, message: string, fate: 'poison' | 'retriable' = 'poison') {
    super(`record of ${JSON.stringify(hostId.slice(0, 64))}: ${message}`);
    this.name = 'DetectorError';
    this.code = code;
    this.fate = fate;
    this.hostId = hostId;
  }
}

/** A state entry that can't be restored: the service stops instead of continuing with half its memory. */
export class DetectorStateError extends Error {
  readonly code: DetectorErrorCode = 'ERR_DETECTOR_STATE';
  readonly key: string;

  constructor(key: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      `state entry ${JSON.stringify(key.slice(0, 200))} can't be restored: ${why}; run the version that wrote it, or clear the store`,
      { cause },
    );
    this.name = 'DetectorStateError';
    this.key = key;
  }
}

/** Rule files that can't be read at the start. Errors inside files are diagnostics of the rules. */
export class RuleFilesError extends Error {
  readonly code: DetectorErrorCode = 'ERR_DETECTOR_RULE_FILES';
  readonly path: string;

  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`rules of ${path} can't be read: ${why}; correct detector.rules or the path on the command line`, {
      cause,
    });
    this.name = 'RuleFilesError';
    this.path = path;
  }
}
