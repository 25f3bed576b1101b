import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from '@ringfence/base';
import { RegistryAnswerError, RegistryRefusedError, RegistryUnreachableError } from './errors.ts';
import { exchangeHttp, type HttpAnswer, TooMuchError } from './http.ts';

export interface RegistryOptions {
  /** base address of the Confluent API; user and password belong into their own options */
  readonly url: string;
  /** @default none is shown */
  readonly user?: string;
  readonly password?: string;
  /** PEM of the authorities to trust. @default those of Node */
  readonly ca?: string;
  /** for one question, ms. @default 5000 */
  readonly timeoutMs?: number;
  /** how often a question is asked before it is given up. @default 3 */
  readonly attempts?: number;
}

/** `BACKWARD_TRANSITIVE`: whoever reads with the newest schema can read everything that was ever written. */
export type Compatibility = 'BACKWARD_TRANSITIVE';

const TYPE = 'application/vnd.schemaregistry.v1+json';
const MAX_ANSWER_BYTES = 2 * 2 ** 20;
/** Schema Registry API: subject or version or schema not found; incompatible; invalid. */
const NOT_FOUND = 404;
const CONFLICT = 409;

/** What we ask of a schema registry with Confluent's API (Confluent, Apicurio's ccompat, Karapace, Redpanda). Every answer is bounded and checked. */
export class RegistryClient {
  /** without user and password */
  readonly url: string;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #options: RegistryOptions;

  /** Throws RegistryAnswerError when the address is none. */
  constructor(options: RegistryOptions) {
    const { user = '', password = '' } = options;
    const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol))
      throw new RegistryAnswerError('of schemaRegistry.url', 'that is no http or https address');
    if (url.username !== '' || url.password !== '')
      throw new RegistryAnswerError(
        `at ${url.host}`,
        'user and password belong into schemaRegistry.user and .password',
      );
    url.pathname = url.pathname.replace(/\/*$/, '/');
    this.#base = url;
    this.url = url.href.replace(/\/$/, '');
    this.#options = options;
    const authorization =
      user === '' ? {} : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
    this.#headers = { accept: TYPE, ...authorization };
  }

  /** The schema that records with this id have; null: there is none. */
  async schemaById(id: number): Promise<string | null> {
    const answer = await this.#ask('GET', ['schemas', 'ids', String(id)]);
    return answer === null ? null : this.#text(answer, 'schema');
  }

  /** The numbers of a subject's versions; empty: there is no such subject. */
  async versions(subject: string): Promise<readonly number[]> {
    const answer = await this.#ask('GET', ['subjects', subject, 'versions']);
    if (answer === null) return [];
    if (!Array.isArray(answer) || !answer.every((version) => Number.isSafeInteger(version)))
      throw this.#strange('versions are no list of numbers');
    return answer as number[];
  }

  async version(
    subject: string,
    version: number | 'latest',
  ): Promise<{ readonly id: number; readonly schema: string } | null> {
    const answer = await this.#ask('GET', ['subjects', subject, 'versions', String(version)]);
    return answer === null ? null : { id: this.#number(answer, 'id'), schema: this.#text(answer, 'schema') };
  }

  /** The id of exactly this schema under a subject; null: it is not registered. */
  async lookup(subject: string, schema: string): Promise<number | null> {
    const answer = await this.#ask('POST', ['subjects', subject], { schema });
    return answer === null ? null : this.#number(answer, 'id');
  }

  /** Registers a schema under a subject, or finds it there; its id. Rejects with RegistryRefusedError 409 when the subject's compatibility forbids it. */
  async register(subject: string, schema: string): Promise<number> {
    return this.#number(await this.#ask('POST', ['subjects', subject, 'versions'], { schema }), 'id');
  }

  /** Whether the subject's compatibility allows the schema after those that it has; true when it has none. */
  async compatible(subject: string, schema: string): Promise<boolean> {
    const answer = await this.#ask('POST', ['compatibility', 'subjects', subject, 'versions'], { schema });
    if (answer === null) return true;
    const said = (answer as { is_compatible?: unknown }).is_compatible;
    if (typeof said !== 'boolean') throw this.#strange('is_compatible is neither true nor false');
    return said;
  }

  async setCompatibility(subject: string, compatibility: Compatibility): Promise<void> {
    await this.#ask('PUT', ['config', subject], { compatibility });
  }

  /** null: not found. Network trouble and 5xx are asked again. */
  async #ask(method: 'GET' | 'POST' | 'PUT', path: readonly string[], body?: object): Promise<unknown> {
    const { attempts = 3 } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#askOnce(method, path, body);
      } catch (error) {
        if (!(error instanceof RegistryUnreachableError) || attempt >= attempts) throw error;
        await sleep(100 * 2 ** attempt * (0.5 + Math.random() / 2));
      }
    }
  }

  async #askOnce(method: 'GET' | 'POST' | 'PUT', path: readonly string[], body?: object): Promise<unknown> {
    const { status, body: text } = await this.#exchange(method, path, body);
    if (status === NOT_FOUND && method !== 'PUT') return null;
    if (status >= 500 || status === 429 || status === 408)
      throw new RegistryUnreachableError(this.url, `it answered ${status} to ${method} ${path.join('/')}`);
    const answer = parsed(text);
    if (status >= 300) throw new RegistryRefusedError(this.url, status, reasonOf(answer));
    if (typeof answer !== 'object' || answer === null)
      throw this.#strange(`${method} ${path.join('/')} was not answered in JSON`);
    return answer;
  }

  async #exchange(method: 'GET' | 'POST' | 'PUT', path: readonly string[], body?: object): Promise<HttpAnswer> {
    const { ca, timeoutMs = 5000 } = this.#options;
    const json = body === undefined ? undefined : JSON.stringify(body);
    const length =
      json === undefined ? {} : { 'content-type': TYPE, 'content-length': String(Buffer.byteLength(json)) };
    const url = new URL(path.map(encodeURIComponent).join('/'), this.#base);
    try {
      return await exchangeHttp(url, {
        method,
        headers: { ...this.#headers, ...length },
        timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
        ...defined({ body: json, ca }),
      });
    } catch (cause) {
      if (cause instanceof TooMuchError)
        throw new RegistryAnswerError(this.url, `it answered ${cause.message}`, { cause });
      const timedOut = cause instanceof Error && /Abort|Timeout/.test(cause.name);
      throw new RegistryUnreachableError(this.url, timedOut ? `no answer within ${timeoutMs} ms` : messageOf(cause), {
        cause,
      });
    }
  }

  #number(answer: unknown, field: string): number {
    const value = (answer as Record<string, unknown> | null)?.[field];
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31) return value as number;
    throw this.#strange(`"${field}" is no number of 31 bits`);
  }

  #text(answer: unknown, field: string): string {
    const value = (answer as Record<string, unknown> | null)?.[field];
    if (typeof value === 'string') return value;
    throw this.#strange(`"${field}" is no text`);
  }

  #strange(reason: string): RegistryAnswerError {
    return new RegistryAnswerError(this.url, reason);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `{ "error_code": 40401, "message": "…" }`; whatever it is, it is cut and has no control characters. */
function reasonOf(answer: unknown): string {
  const message = (answer as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message.slice(0, 500).replace(/\p{Cc}/gu, ' ') : 'no reason given';
}

/** An AggregateError of several addresses has no message of its own. */
function messageOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join(', ');
  return cause instanceof Error ? cause.message : String(cause);
}

export const isConflict = (error: unknown): boolean =>
  error instanceof RegistryRefusedError && error.status === CONFLICT;
