import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { defined, OperatorError } from '@ringfence/base';
import type { Status } from '../status/status.ts';
import { http } from './http.ts';

/** Asks a running `ringfence up` over its unix socket. */
export class ApiClient {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** What the one that runs says of itself; null: none does. */
  async status(): Promise<Status | null> {
    try {
      return await this.json<Status>('/status');
    } catch (error) {
      if (error instanceof OperatorError && error.code === 'ERR_NOT_RUNNING') return null;
      throw error;
    }
  }

  async running(): Promise<boolean> {
    return (await this.status()) !== null;
  }

  async json<T>(path: string, signal?: AbortSignal): Promise<T> {
    const response = await this.stream(path, signal);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as T;
  }

  /** Each line of JSON as it comes; ends quietly when `signal` aborts. */
  async *lines<T>(path: string, signal?: AbortSignal): AsyncGenerator<T> {
    try {
      const response = await this.stream(path, signal);
      for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY }))
        yield JSON.parse(line) as T;
    } catch (error) {
      if (signal?.aborted) return;
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      throw new OperatorError('ringfence went away while it answered: see what it said, and ask again', {
        cause: error,
      });
    }
  }

  async stream(path: string, signal?: AbortSignal): Promise<IncomingMessage> {
    const asked = http.request({ socketPath: this.#socket, path, ...defined({ signal }) });
    asked.end();
    const response = await this.#response(asked);
    if (response.statusCode === 200) return response;
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    throw new OperatorError((JSON.parse(text) as { error?: string }).error ?? text);
  }

  async #response(asked: ClientRequest): Promise<IncomingMessage> {
    try {
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      return response;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'EACCES') throw cause;
      const hint =
        code === 'EACCES'
          ? `not allowed to open ${this.#socket}: run it as the user who runs ringfence up`
          : `no ringfence is running (${this.#socket}): start it with npm start, or ask as the user and with the settings of the one that runs`;
      throw new OperatorError(hint, { cause, code: 'ERR_NOT_RUNNING' });
    }
  }
}
export { MAX_LISTED } from './limits.ts';
