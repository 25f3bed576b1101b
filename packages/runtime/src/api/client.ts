import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { defined, OperatorError } from '@ringfence/base';
import { claimsOfProcess } from '@ringfence/operators';
import type { Status } from '../status/status.ts';
import { CLAIMS_HEADER, http } from './protocol.ts';

/** A header may have 16 KiB. */
const COMMAND_MAX = 1024;

/** Client of the API that `ringfence up` serves on a unix socket. */
export class ApiClient {
  readonly #socket: string;
  readonly #claims: string;

  /** @param reason why the operator asks, for the audit trail; empty: none is given */
  constructor(socket: string, reason = '') {
    this.#socket = socket;
    const claims = claimsOfProcess();
    const command = claims.command.slice(0, COMMAND_MAX);
    this.#claims = Buffer.from(JSON.stringify({ ...claims, command, reason })).toString('base64url');
  }

  /** Returns the status of the running `up`, or null when none runs. */
  async status(): Promise<Status | null> {
    try {
      return await this.json<Status>('/status');
    } catch (error) {
      if (error instanceof OperatorError && error.code === 'ERR_NOT_RUNNING') return null;
      throw error;
    }
  }

  async isRunning(): Promise<boolean> {
    return (await this.status()) !== null;
  }

  async json<T>(path: string, signal?: AbortSignal): Promise<T> {
    return JSON.parse(await text(await this.stream(path, signal))) as T;
  }

  /** Yields each line of JSON when it arrives. Ends without an error when `signal` aborts. */
  async *lines<T>(path: string, signal?: AbortSignal): AsyncGenerator<T> {
    try {
      const response = await this.stream(path, signal);
      for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY }))
        yield JSON.parse(line) as T;
    } catch (error) {
      if (signal?.aborted) return;
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      throw new OperatorError('ringfence stopped while it answered: read its log, then try again', { cause: error });
    }
  }

  /** Sends a request and returns the body of its response. Rejects with OperatorError when the request fails. */
  async stream(path: string, signal?: AbortSignal): Promise<IncomingMessage> {
    const request = http.request({
      socketPath: this.#socket,
      path,
      headers: { [CLAIMS_HEADER]: this.#claims },
      ...defined({ signal }),
    });
    request.end();
    const response = await this.#response(request);
    if (response.statusCode === 200) return response;
    const body = await text(response);
    throw new OperatorError((JSON.parse(body) as { error?: string }).error ?? body);
  }

  async #response(request: ClientRequest): Promise<IncomingMessage> {
    try {
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return response;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'EACCES') throw cause;
      const hint =
        code === 'EACCES'
          ? `not allowed to open ${this.#socket}: run it as the user who runs ringfence up`
          : `no ringfence is running (${this.#socket}): start it with npm start, or run this command as its user and with its settings`;
      throw new OperatorError(hint, { cause, code: 'ERR_NOT_RUNNING' });
    }
  }
}

export { MAX_LISTED } from './protocol.ts';
export type { Response } from './respond.ts';
