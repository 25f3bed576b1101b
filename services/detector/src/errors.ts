import { BatchError, StateEntryError } from '@ringfence/service-kit';

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

/** A record that cannot be trusted or processed. It is poison, unless the enrolment of its writer may still arrive. */
export class DetectorError extends BatchError<DetectorErrorCode> {
  constructor(code: DetectorErrorCode, hostId: string, message: string, fate?: 'poison' | 'retriable') {
    super(code, 'record of', hostId, message, fate);
  }
}

/** A state entry that this version cannot read. The service stops, because a part of its state would be missing. */
export class DetectorStateError extends StateEntryError<DetectorErrorCode> {
  constructor(key: string, cause: unknown) {
    super('ERR_DETECTOR_STATE', key, cause);
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
