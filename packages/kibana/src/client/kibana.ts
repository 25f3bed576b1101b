import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '@ringfence/base';
import { KibanaError } from '../errors.ts';

/** How a person or a program proves to Kibana who it is. */
export type Credentials = { readonly apiKey: string } | { readonly user: string; readonly password: string };

export interface KibanaOptions {
  /** Address of Kibana with its base path, and with `/s/NAME` for a space */
  readonly url: string;
  /** undefined: Kibana without security */
  readonly credentials?: Credentials | undefined;
  /** PEM text of the authority of Kibana's certificate. @default the system's authorities */
  readonly ca?: string | undefined;
}

export interface KibanaAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

interface Body {
  readonly type: string;
  readonly text: string;
}

const TIMEOUT_MS = 60_000;
/** An export of all our objects has some 100 kB. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20;
/** Characters of a text of Kibana's that a message quotes. */
export const MAX_REASON_CHARS = 300;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Requests to one Kibana. Every method rejects with KibanaError. */
export class Kibana {
  readonly #base: URL;
  readonly #options: KibanaOptions;

  /** Throws KibanaError for an address that can't be used, or that would carry a secret over a network in the clear. */
  constructor(options: KibanaOptions) {
    const { url, credentials } = options;
    if (!URL.canParse(url) || !/^https?:/.test(url))
      throw new KibanaError('ERR_KIBANA_SETTINGS', `${url} is no http or https address`);
    const base = new URL(url);
    if (base.username !== '' || base.password !== '')
      throw new KibanaError('ERR_KIBANA_SETTINGS', 'the address has a password in it: put it into a file instead');
    if (credentials !== undefined && base.protocol === 'http:' && !LOOPBACK.test(base.hostname))
      throw new KibanaError(
        'ERR_KIBANA_SETTINGS',
        `the secret would cross the network in the clear: use https for ${base.host}`,
      );
    this.#base = base;
    this.#options = options;
  }

  get(path: string): Promise<KibanaAnswer> {
    return this.#send('GET', path);
  }

  sendJson(method: 'POST' | 'PUT', path: string, body: object): Promise<KibanaAnswer> {
    return this.#send(method, path, { type: 'application/json', text: JSON.stringify(body) });
  }

  /** Uploads a file of JSON lines as a form. */
  sendLines(path: string, lines: string): Promise<KibanaAnswer> {
    const boundary = 'ringfence-objects';
    const head = 'content-disposition: form-data; name="file"; filename="ringfence.ndjson"';
    const text = `--${boundary}\r\n${head}\r\ncontent-type: application/ndjson\r\n\r\n${lines}\r\n--${boundary}--\r\n`;
    return this.#send('POST', path, { type: `multipart/form-data; boundary=${boundary}`, text });
  }

  async #send(method: string, path: string, body?: Body): Promise<KibanaAnswer> {
    const answer = await this.#exchange(method, path, body);
    const where = `${method} ${path}`;
    if (answer.status === 401)
      throw new KibanaError('ERR_KIBANA_CREDENTIALS', `${where}: Kibana does not accept the credentials (401)`);
    if (answer.status === 403)
      throw new KibanaError('ERR_KIBANA_RIGHTS', `${where}: the user may not do this (403): ${reasonOf(answer)}`);
    if (answer.status >= 500)
      throw new KibanaError(
        'ERR_KIBANA_UNREACHABLE',
        `${where}: Kibana is not ready (${answer.status}): ${reasonOf(answer)}`,
      );
    return answer;
  }

  #exchange(method: string, path: string, body: Body | undefined): Promise<KibanaAnswer> {
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/$/, '')}${path.split('?')[0]}`;
    url.search = path.split('?')[1] ?? '';
    const { ca } = this.#options;
    const headers = {
      'kbn-xsrf': 'ringfence',
      'elastic-api-version': '2023-10-31',
      ...this.#authorization(),
      ...(body === undefined ? {} : { 'content-type': body.type, 'content-length': Buffer.byteLength(body.text) }),
    };
    const options = { method, headers, timeout: TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) };
    return new Promise((resolve, reject) => {
      const fail = (reason: string, cause?: unknown): void => {
        request.destroy();
        reject(new KibanaError('ERR_KIBANA_UNREACHABLE', `${url.origin} does not answer: ${reason}`, { cause }));
      };
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(url, options, (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) fail(`its answer has more than ${MAX_ANSWER_BYTES} bytes`);
          chunks.push(chunk);
        });
        response.on('error', (error) => fail(error.message, error));
        response.on('end', () => {
          const { statusCode: status = 0, headers: received } = response;
          resolve({ status, headers: received, text: Buffer.concat(chunks).toString('utf8') });
        });
      });
      request.on('timeout', () => fail(`no answer within ${TIMEOUT_MS / 1000} s`));
      request.on('error', (error) => fail(messageOf(error) || 'the connection failed', error));
      request.end(body?.text);
    });
  }

  #authorization(): { readonly authorization?: string } {
    const { credentials } = this.#options;
    if (credentials === undefined) return {};
    if ('apiKey' in credentials) return { authorization: `ApiKey ${credentials.apiKey}` };
    const pair = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
    return { authorization: `Basic ${pair}` };
  }
}

/** Kibana's sentence about an error, bounded; its answers are untrusted text. */
export function reasonOf({ text }: Pick<KibanaAnswer, 'text'>): string {
  const { message } = jsonObject(text) ?? {};
  return (typeof message === 'string' ? message : text).slice(0, MAX_REASON_CHARS);
}

/** Returns undefined for anything else than a JSON object. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Parses the JSON object of an answer. Throws KibanaError if it is none, or the status is not 2xx. */
export function objectOf(what: string, answer: KibanaAnswer): Readonly<Record<string, unknown>> {
  if (answer.status >= 400)
    throw new KibanaError('ERR_KIBANA_REFUSED', `${what}: ${reasonOf(answer)} (${answer.status})`);
  const object = answer.status >= 200 && answer.status < 300 ? jsonObject(answer.text) : undefined;
  if (object === undefined)
    throw new KibanaError(
      'ERR_KIBANA_ANSWER',
      `${what}: the answer (${answer.status}) is not Kibana's: check the address`,
    );
  return object;
}
