import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { defined } from '@ringfence/base';

export interface HttpOptions {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM of the trusted authorities. @default those of Node */
  readonly ca?: string;
  /** Deadline of the whole exchange, ms. */
  readonly timeoutMs: number;
  /** Limit for the body of the answer. */
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** The answer is longer than `maxBytes`. */
export class ResponseTooLargeError extends Error {}

/**
 * Sends one HTTP request. Unlike `fetch`, it accepts a private certificate authority. Does not follow redirects.
 * Rejects with the error of the network, with AbortError after `timeoutMs`, or with ResponseTooLargeError.
 */
export function exchangeHttp(url: URL, options: HttpOptions): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const { method, headers, body, ca, maxBytes } = options;
  const signal = AbortSignal.timeout(options.timeoutMs);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, { method, headers, signal, ...defined({ ca }) }, (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) response.destroy(new ResponseTooLargeError(`more than ${maxBytes} bytes`));
      else chunks.push(chunk);
    });
    response.on('error', reject);
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
    );
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}
