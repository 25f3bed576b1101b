import { Admin } from '@platformatic/kafka';
import { BusError } from '@ringfence/bus';
import { compileKafkaOptions, type KafkaBusOptions } from '../kafka/options.ts';
import { connectionOptions } from '../kafka/platformatic-client.ts';
import type { TopicAdmin } from './admin.ts';

export type AdminErrorCode =
  /**
   * Topics and access lists could not be read or changed. Check the brokers, and that the client has the rights of an
   * administrator.
   */
  'ERR_BUS_BROKER_ADMIN';

/** The brokers could not be asked, or refused. */
export class BrokerAdminError extends BusError<AdminErrorCode> {
  readonly brokers: readonly string[];
  constructor(brokers: readonly string[], cause: unknown) {
    const reason = reasonOf(cause);
    super('ERR_BUS_BROKER_ADMIN', `brokers ${brokers.join(', ')}: ${reason}${hintFor(reason)}`, { cause });
    this.brokers = brokers;
  }
}

/** Runs `work` with a connection for administration, and closes it. Rejects with BrokerAdminError when brokers don't answer or refuse. */
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

/** The innermost of what caused what says most; several are named once each. */
function reasonOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 6) return String(error);
  const { errors = [], cause } = error as Error & { errors?: readonly unknown[] };
  const inner = [...errors, ...(cause instanceof Error ? [cause] : [])];
  if (inner.length === 0) return error.message;
  return [...new Set(inner.map((one) => reasonOf(one, depth + 1)))].join('; ');
}

function hintFor(reason: string): string {
  if (/ECONNREFUSED|ENOTFOUND|ETIMEDOUT|timed out/i.test(reason)) return ': are they up, and bus.kafka.brokers right?';
  if (/authoriz/i.test(reason)) return ': this takes a user who may describe and alter topics and access lists';
  if (/authenticat|certificate|credentials/i.test(reason)) return ': check bus.kafka.sasl and bus.kafka.tls';
  return '';
}
