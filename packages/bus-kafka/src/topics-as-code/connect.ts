import { Admin } from '@platformatic/kafka';
import { BusError } from '@ringfence/bus';
import { connectionOptions } from '../client/platformatic-client.ts';
import { compileKafkaOptions, type KafkaBusOptions } from '../options.ts';
import type { TopicAdmin } from './admin.ts';

export type AdminErrorCode =
  /**
   * Topics and access lists could not be read or changed. Check the brokers, and that the client has the rights of an
   * administrator.
   */
  'ERR_BUS_BROKER_ADMIN';

/** The brokers could not be reached, or refused a request. */
export class BrokerAdminError extends BusError<AdminErrorCode> {
  readonly brokers: readonly string[];
  constructor(brokers: readonly string[], cause: unknown) {
    const reason = reasonOf(cause);
    super('ERR_BUS_BROKER_ADMIN', `brokers ${brokers.join(', ')}: ${reason}${hintFor(reason)}`, { cause });
    this.brokers = brokers;
  }
}

/**
 * Runs `work` with an admin client, and closes the client. Rejects with BrokerAdminError when the brokers do not answer
 * or refuse.
 */
export async function withAdmin<T>(given: KafkaBusOptions, work: (admin: TopicAdmin) => Promise<T>): Promise<T> {
  const options = compileKafkaOptions(given);
  const admin = new Admin({
    ...connectionOptions(options),
    clientId: options.clientId,
    bootstrapBrokers: [...given.brokers],
    requestTimeout: options.requestDeadlineMs,
    retries: 2,
    retryDelay: 500,
  });
  try {
    return await work(admin);
  } catch (error) {
    if (error instanceof Error && String((error as { code?: unknown }).code).startsWith('PLT_KFK_'))
      throw new BrokerAdminError(given.brokers, error);
    throw error;
  } finally {
    await admin.close();
  }
}

/** Returns the messages of the innermost causes, each once, because those name the reason. */
function reasonOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 6) return String(error);
  const { errors = [], cause } = error as Error & { errors?: readonly unknown[] };
  const inner = [...errors, ...(cause instanceof Error ? [cause] : [])];
  if (inner.length === 0) return error.message;
  return [...new Set(inner.map((innerError) => reasonOf(innerError, depth + 1)))].join('; ');
}

function hintFor(reason: string): string {
  if (/ECONNREFUSED|ENOTFOUND|ETIMEDOUT|timed out/i.test(reason))
    return ': check that they are up, and bus.kafka.brokers';
  if (/authoriz/i.test(reason)) return ': use a user who may describe and alter topics and access lists';
  if (/authenticat|certificate|credentials/i.test(reason)) return ': check bus.kafka.sasl and bus.kafka.tls';
  return '';
}
