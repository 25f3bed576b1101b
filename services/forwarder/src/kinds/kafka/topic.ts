import { defined, messageOf } from '@ringfence/base';
import { BadRecordError, BusRefusedError, BusUnavailableError, UnknownTopicError } from '@ringfence/bus';
import { type KafkaBus, openKafkaBus } from '@ringfence/bus-kafka';
import { SinkRefusedError, SinkSecretError, SinkUnavailableError } from '../../errors.ts';
import type { TlsSettings } from '../../settings/common.ts';
import { readSecret } from '../../settings/values.ts';

export interface TopicSettings extends TlsSettings {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly tls: boolean;
  readonly sasl?: SaslSettings | undefined;
}

interface SaslSettings {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer';
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
}

/** Writes to a topic, each partition in order, with the acknowledgement of all in-sync replicas. */
export class KafkaTopic {
  readonly #sink: string;
  readonly #settings: TopicSettings;
  /** ms */
  readonly #timeout: number;
  #bus: KafkaBus | undefined;

  constructor(sink: string, settings: TopicSettings, timeout: number) {
    this.#sink = sink;
    this.#settings = settings;
    this.#timeout = timeout;
  }

  /** Rejects with SinkRefusedError if the brokers refuse a record for its size or content. */
  async write(records: readonly { readonly key: string; readonly value: Uint8Array }[]): Promise<void> {
    const { topic } = this.#settings;
    try {
      this.#bus ??= await this.#open();
      await this.#bus.produce(records.map((record) => ({ topic, ...record })));
    } catch (error) {
      // The password may have been replaced.
      if (error instanceof BusRefusedError) await this.close();
      throw this.#sinkError(error);
    }
  }

  async close(): Promise<void> {
    const bus = this.#bus;
    this.#bus = undefined;
    await bus?.close();
  }

  #open(): Promise<KafkaBus> {
    const { brokers, compression, tls, ca, cert, key, sasl } = this.#settings;
    return openKafkaBus({
      brokers,
      compression,
      requestDeadlineMs: this.#timeout,
      produceDeadlineMs: this.#timeout,
      ...(tls ? { tls: defined({ ca, cert, key }) } : {}),
      ...(sasl === undefined ? {} : { sasl: loginOf(sasl) }),
    });
  }

  #sinkError(error: unknown): Error {
    if (error instanceof SinkSecretError) return error;
    const { topic } = this.#settings;
    const options = { cause: error };
    if (error instanceof BadRecordError) return new SinkRefusedError(this.#sink, messageOf(error), options);
    if (error instanceof BusUnavailableError && error.reason === 'INVALID_RECORD')
      return new SinkRefusedError(this.#sink, `topic ${topic}: the brokers refuse its content`, options);
    if (error instanceof UnknownTopicError) {
      const advice = 'create it, and allow this client to describe it and to write to it';
      return new SinkUnavailableError(this.#sink, `topic ${topic} does not exist: ${advice}`, options);
    }
    const reason = messageOf((error as Error).cause ?? error);
    const advice = error instanceof BusRefusedError ? '; check the login, the certificates and the right to write' : '';
    return new SinkUnavailableError(this.#sink, `topic ${topic}: ${reason}${advice}`, options);
  }
}

function loginOf({
  mechanism,
  username,
  password,
  token,
}: SaslSettings): NonNullable<Parameters<typeof openKafkaBus>[0]['sasl']> {
  if (token !== undefined) return { mechanism, token: () => readSecret(token) };
  return { mechanism, username: username!, password: readSecret(password!) };
}
