import { Worker } from 'node:worker_threads';
import type { Effect, InRecord } from '@ringfence/bus';
import { learnedSchemas } from '@ringfence/wire';
import type { SqliteOptions } from '../config.ts';
import { AuditError } from '../errors.ts';
import { NO_EFFECT } from '../pipeline.ts';
import type { SinkStats, TrailHeads } from '../sink.ts';
import type { AuditWriter } from '../writer.ts';
import type { SchemaUpdate, SerializedError, WorkerRequest, WorkerResponse } from './protocol.ts';

/** A batch has at most 1 MiB, so little memory is live; a large young generation would only bloat the process. */
const RESOURCES = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256 };

/** An error of the thread with its original name, code, fate and other properties. */
class ThreadError extends AuditError {
  constructor({ name, message, stack, properties }: SerializedError) {
    super('ERR_AUDIT_THREAD', message);
    Object.assign(this, properties, { name });
    if (stack !== '') this.stack = stack;
  }
}

/** Runs the pipeline in its own thread, so that it does not block services that must respond in milliseconds. */
export class AuditThread implements AuditWriter {
  readonly #worker: Worker;
  #stats: SinkStats;
  /** Where a damaged file was moved on opening; null when it was intact */
  readonly movedAside: string | null;
  #pending: PromiseWithResolvers<WorkerResponse> | undefined;
  #last: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  /** Number of schemas sent to the thread */
  #sentSchemas = 0;

  private constructor(worker: Worker, ready: Extract<WorkerResponse, { stats: SinkStats }>) {
    this.#worker = worker;
    this.#stats = ready.stats;
    this.movedAside = ready.movedAside;
    worker.on('message', (response: WorkerResponse) => this.#pending?.resolve(response));
    worker.on('error', (cause) =>
      this.#fail(new AuditError('ERR_AUDIT_THREAD', `the thread failed: ${cause.message}`, { cause })),
    );
    worker.on('exit', (code) => this.#fail(new AuditError('ERR_AUDIT_THREAD', `the thread exited (${code})`)));
  }

  /** Rejects with the error from opening the file. */
  static async start(options: SqliteOptions): Promise<AuditThread> {
    const worker = new Worker(new URL('./audit-worker.ts', import.meta.url), {
      workerData: options,
      name: 'auditor',
      resourceLimits: RESOURCES,
    });
    const { promise, resolve, reject } = Promise.withResolvers<WorkerResponse>();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new AuditError('ERR_AUDIT_THREAD', `the thread exited during startup (${code})`)),
    );
    const ready = await promise;
    if ('stats' in ready) return new AuditThread(worker, ready);
    await worker.terminate();
    throw 'error' in ready
      ? new ThreadError(ready.error)
      : new AuditError('ERR_AUDIT_THREAD', 'the thread sent an unexpected message');
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#pending?.reject(this.#failure);
  }

  async handle(records: readonly InRecord[]): Promise<Effect> {
    this.#sendSchemas();
    const response = await this.#request(records);
    if ('stats' in response) this.#stats = response.stats;
    return NO_EFFECT;
  }

  /** Forwards schemas of newer services, which only the process that read them from the bus knows. */
  #sendSchemas(): void {
    const schemas = learnedSchemas(this.#sentSchemas);
    if (schemas.length === 0) return;
    this.#sentSchemas += schemas.length;
    this.#worker.postMessage({ schemas } satisfies SchemaUpdate);
  }

  async heads(): Promise<TrailHeads> {
    const response = await this.#request('heads');
    return 'heads' in response ? response.heads : { trail: '', heads: [] };
  }

  /** One request at a time: the thread answers in the order of the requests, without naming them. */
  #request(request: WorkerRequest): Promise<Exclude<WorkerResponse, { error: SerializedError }>> {
    const response = this.#last.then(() => this.#send(request));
    this.#last = response.then(
      () => {},
      () => {},
    );
    return response;
  }

  async #send(request: WorkerRequest): Promise<Exclude<WorkerResponse, { error: SerializedError }>> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#pending = Promise.withResolvers<WorkerResponse>();
    this.#worker.postMessage(request);
    const response = await this.#pending.promise;
    this.#pending = undefined;
    if ('error' in response) throw new ThreadError(response.error);
    return response;
  }

  stats(): SinkStats {
    return this.#stats;
  }

  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#worker.once('exit', () => resolve());
    this.#worker.postMessage(null satisfies WorkerRequest);
    await promise;
  }
}
