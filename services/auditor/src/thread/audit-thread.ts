import { Worker } from 'node:worker_threads';
import type { Effect, InRecord } from '@ringfence/bus';
import { learntSchemas } from '@ringfence/wire';
import type { SqliteOptions } from '../config.ts';
import { AuditError } from '../errors.ts';
import { NOTHING_MORE } from '../pipeline.ts';
import type { SinkStats, TrailHeads } from '../sink.ts';
import type { AuditWriter } from '../writer.ts';
import type { Answer, ErrorFacts, Learnt, Request } from './protocol.ts';

/** A batch is at most 1 MiB, so little is alive at a time; a large nursery would only swell the process. */
const RESOURCES = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256 };

/** An error of the thread, as it was thrown there: with its name, code, fate and other facts. */
class ThreadError extends AuditError {
  constructor({ name, message, stack, facts }: ErrorFacts) {
    super('ERR_AUDIT_THREAD', message);
    Object.assign(this, facts, { name });
    if (stack !== '') this.stack = stack;
  }
}

/** The pipeline in a thread of its own: what it costs is not taken from the services that must answer in milliseconds. */
export class AuditThread implements AuditWriter {
  readonly #worker: Worker;
  #stats: SinkStats;
  /** where a damaged file was put at open; null: there was none */
  readonly movedAside: string | null;
  #answered: PromiseWithResolvers<Answer> | undefined;
  #ended: Error | undefined;
  /** schemas that the thread was told */
  #told = 0;

  private constructor(worker: Worker, ready: Extract<Answer, { stats: SinkStats }>) {
    this.#worker = worker;
    this.#stats = ready.stats;
    this.movedAside = ready.movedAside;
    worker.on('message', (answer: Answer) => this.#answered?.resolve(answer));
    worker.on('error', (cause) =>
      this.#end(new AuditError('ERR_AUDIT_THREAD', `the thread failed: ${cause.message}`, { cause })),
    );
    worker.on('exit', (code) => this.#end(new AuditError('ERR_AUDIT_THREAD', `the thread has ended (${code})`)));
  }

  /** Rejects with what opening the file threw. */
  static async start(options: SqliteOptions): Promise<AuditThread> {
    const worker = new Worker(new URL('./audit-worker.ts', import.meta.url), {
      workerData: options,
      name: 'auditor',
      resourceLimits: RESOURCES,
    });
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new AuditError('ERR_AUDIT_THREAD', `the thread ended as it began (${code})`)));
    const ready = await promise;
    if ('stats' in ready) return new AuditThread(worker, ready);
    await worker.terminate();
    throw 'error' in ready
      ? new ThreadError(ready.error)
      : new AuditError('ERR_AUDIT_THREAD', 'the thread said no more');
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#answered?.reject(this.#ended);
  }

  async handle(records: readonly InRecord[]): Promise<Effect> {
    this.#tellSchemas();
    const answer = await this.#ask(records);
    if ('stats' in answer) this.#stats = answer.stats;
    return NOTHING_MORE;
  }

  /** What a newer service writes is known by what it said on the bus, in the process that read it. */
  #tellSchemas(): void {
    const schemas = learntSchemas(this.#told);
    if (schemas.length === 0) return;
    this.#told += schemas.length;
    this.#worker.postMessage({ schemas } satisfies Learnt);
  }

  async heads(): Promise<TrailHeads> {
    const answer = await this.#ask('heads');
    return 'heads' in answer ? answer.heads : { trail: '', heads: [] };
  }

  async #ask(request: Request): Promise<Exclude<Answer, { error: ErrorFacts }>> {
    if (this.#ended !== undefined) throw this.#ended;
    this.#answered = Promise.withResolvers<Answer>();
    this.#worker.postMessage(request);
    const answer = await this.#answered.promise;
    this.#answered = undefined;
    if ('error' in answer) throw new ThreadError(answer.error);
    return answer;
  }

  stats(): SinkStats {
    return this.#stats;
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#worker.once('exit', () => resolve());
    this.#worker.postMessage(null satisfies Request);
    await promise;
  }
}
