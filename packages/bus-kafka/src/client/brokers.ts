import type { CompiledKafkaOptions } from '../options.ts';
import { type Node, WireError } from './wire.ts';

/**
 * Sends a request to the configured brokers, one after the other, until one answers. Rejects with WireError when none
 * does. Its reason is that of the first refused login, if there was one.
 */
export async function askAnyBroker<R>({ brokers }: CompiledKafkaOptions, ask: (node: Node) => Promise<R>): Promise<R> {
  const failures: WireError[] = [];
  for (const { host, port } of brokers) {
    try {
      return await ask({ id: -1, host, port });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      failures.push(error);
    }
  }
  const refusal = failures.find(({ reason }) => reason === 'AUTHENTICATION') ?? failures[0]!;
  if (failures.length === 1) throw refusal;
  const messages = failures.map(({ message }) => message).join('; ');
  throw new WireError(refusal.reason, messages, { cause: refusal });
}

/** Deadline of a request, ms. The coordinator answers a join or sync only when the rebalance is complete. */
export const requestDeadline = (options: CompiledKafkaOptions, isRebalance: boolean): number =>
  options.requestDeadlineMs + (isRebalance ? options.rebalanceTimeoutMs : 0);

/** Error for a request that the broker at `address` (host:port) did not answer within `ms`. */
export const timeoutError = (address: string, ms: number): WireError =>
  new WireError('TIMEOUT', `${address}: no answer within ${ms} ms`);

/** Codes of OpenSSL and Node for a refused certificate. A retry helps only after someone replaces the certificate. */
export const isCertificateError = (code: unknown): boolean =>
  typeof code === 'string' && /^ERR_(TLS|SSL)_|^(CERT|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO)/.test(code);
