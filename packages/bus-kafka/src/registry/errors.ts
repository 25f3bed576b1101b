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
   * Readers and writers of a record don't fit together. Upgrade the service that the message names; readers come
   * before writers.
   */
  | 'ERR_SCHEMA_INCOMPATIBLE';

/** The registry gave no answer in time, or said that it can't now. Nothing is wrong with what was asked: ask again. */
export class RegistryUnreachableError extends BusError<RegistryErrorCode> {
  readonly url: string;
  readonly fate = 'retriable';
  constructor(url: string, reason: string, options?: { cause?: unknown }) {
    super(
      'ERR_REGISTRY_UNREACHABLE',
      `schema registry ${url}: ${reason}: is it up, and schemaRegistry.url right?`,
      options,
    );
    this.url = url;
  }
}

/** The registry understood and said no. */
export class RegistryRefusedError extends BusError<RegistryErrorCode> {
  readonly url: string;
  /** HTTP status */
  readonly status: number;
  constructor(url: string, status: number, reason: string) {
    const mend =
      status === 401 || status === 403 ? ': check schemaRegistry.user and .password, and what that user may do' : '';
    super('ERR_REGISTRY_REFUSED', `schema registry ${url} answered ${status}: ${reason}${mend}`);
    this.url = url;
    this.status = status;
  }
}

/** What came is no answer of a schema registry. */
export class RegistryAnswerError extends BusError<RegistryErrorCode> {
  readonly url: string;
  constructor(url: string, reason: string, options?: { cause?: unknown }) {
    super(
      'ERR_REGISTRY_ANSWER',
      `schema registry ${url}: ${reason}: is that a registry with Confluent's API?`,
      options,
    );
    this.url = url;
  }
}

/** Readers and writers of a record don't fit together. */
export class SchemaIncompatibleError extends BusError<RegistryErrorCode> {
  /** `RawBatch` */
  readonly record: string;
  constructor(record: string, reason: string, options?: { cause?: unknown }) {
    super('ERR_SCHEMA_INCOMPATIBLE', `${record}: ${reason}`, options);
    this.record = record;
  }
}
