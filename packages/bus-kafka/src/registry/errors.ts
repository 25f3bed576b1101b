import { messageOf } from '@ringfence/base';
import { BusError } from '@ringfence/bus';

export type RegistryErrorCode =
  /**
   * The schema registry gave no answer in time. The service retries; check that the registry is up and that
   * `schemaRegistry.url` is right.
   */
  | 'ERR_REGISTRY_UNREACHABLE'
  /**
   * The schema registry refused the request. Check `schemaRegistry.user` and `.password`, and the rights of that
   * user.
   */
  | 'ERR_REGISTRY_REFUSED'
  /**
   * The answer is not one of a schema registry, or is too long. Check that the address is that of a registry with
   * Confluent's API.
   */
  | 'ERR_REGISTRY_ANSWER'
  /**
   * Readers and writers of a record have incompatible schemas. Upgrade the service that the message names; readers come
   * before writers.
   */
  | 'ERR_SCHEMA_INCOMPATIBLE';

/** The registry gave no answer in time, or answered that it is unavailable. A retry may succeed. */
export class RegistryUnreachableError extends BusError<RegistryErrorCode> {
  readonly url: string;
  readonly fate = 'retriable';
  constructor(url: string, reason: string, options?: { cause?: unknown }) {
    super(
      'ERR_REGISTRY_UNREACHABLE',
      `schema registry ${url}: ${reason}: check that it is up, and schemaRegistry.url`,
      options,
    );
    this.url = url;
  }
}

/** The registry refused the request. */
export class RegistryRefusedError extends BusError<RegistryErrorCode> {
  readonly url: string;
  /** HTTP status */
  readonly status: number;
  constructor(url: string, status: number, reason: string) {
    const hint =
      status === 401 || status === 403 ? ': check schemaRegistry.user and .password, and the rights of that user' : '';
    super('ERR_REGISTRY_REFUSED', `schema registry ${url} answered ${status}: ${reason}${hint}`);
    this.url = url;
    this.status = status;
  }
}

/** The answer is not that of a schema registry. */
export class RegistryAnswerError extends BusError<RegistryErrorCode> {
  readonly url: string;
  constructor(url: string, reason: string, options?: { cause?: unknown }) {
    super(
      'ERR_REGISTRY_ANSWER',
      `schema registry ${url}: ${reason}: check that it is a registry with Confluent's API`,
      options,
    );
    this.url = url;
  }
}

/** Readers and writers of a record have incompatible schemas. */
export class SchemaIncompatibleError extends BusError<RegistryErrorCode> {
  /** Name of the record, such as `RawBatch`. */
  readonly record: string;
  constructor(record: string, reason: string, options?: { cause?: unknown }) {
    super('ERR_SCHEMA_INCOMPATIBLE', `${record}: ${reason}`, options);
    this.record = record;
  }
}

/** Error for a published schema that this program cannot read. `found` names its place and version. */
export function tooNewError(record: string, found: string, cause: unknown): SchemaIncompatibleError {
  return new SchemaIncompatibleError(
    record,
    `${found}, which this program can't read (${messageOf(cause)}): start a newer version of it here; services that read a record are upgraded before those that write it`,
    { cause },
  );
}
