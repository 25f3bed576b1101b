import { CodedError, messageOf } from '@ringfence/base';

/**
 * A batch or record that cannot be trusted or processed. It is poison, unless the key of its signer may still arrive.
 */
export class BatchError<Code extends string> extends CodedError<Code> {
  readonly fate: 'poison' | 'retriable';
  readonly hostId: string;

  /** `kind` begins the message, such as "batch of host". */
  constructor(code: Code, kind: string, hostId: string, message: string, fate: 'poison' | 'retriable' = 'poison') {
    super(code, `${kind} ${JSON.stringify(hostId.slice(0, 64))}: ${message}`);
    this.fate = fate;
    this.hostId = hostId;
  }
}

/** A state entry that this version cannot read. The service stops, because a part of its state would be missing. */
export class StateEntryError<Code extends string> extends CodedError<Code> {
  readonly key: string;

  constructor(code: Code, key: string, cause: unknown) {
    super(
      code,
      `state entry ${JSON.stringify(key.slice(0, 200))} can't be restored: ${messageOf(cause)}: run the version that wrote it, or clear the store`,
      { cause },
    );
    this.key = key;
  }
}
