/** The storage thread: decoding, compressing, hashing and writing would block the process's other services. */
import { parentPort, workerData } from 'node:worker_threads';
import { asBuffer, learnSchema } from '@ringfence/wire';
import type { SqliteOptions } from '../config.ts';
import { createAuditPipeline } from '../pipeline.ts';
import { SqliteSink } from '../sqlite/sink.ts';
import { type SchemaUpdate, serializeError, type WorkerRequest, type WorkerResponse } from './protocol.ts';

function respond(message: WorkerResponse): void {
  parentPort?.postMessage(message);
}

function serve(sink: SqliteSink): void {
  const pipeline = createAuditPipeline(sink);
  const { movedAside } = sink;
  const onRequest = async (request: WorkerRequest | SchemaUpdate): Promise<void> => {
    if (request !== null && typeof request === 'object' && 'schemas' in request) {
      for (const schema of request.schemas) learnSchema(schema);
      return;
    }
    if (request === null) {
      await sink.close();
      parentPort?.close();
      return;
    }
    try {
      if (request === 'heads') {
        respond({ heads: await sink.heads() });
        return;
      }
      // SQLite rejects nothing, so the effect is empty.
      await pipeline(request.map((record) => ({ ...record, value: record.value && asBuffer(record.value) })));
      respond({ stats: sink.stats(), movedAside });
    } catch (error) {
      respond({ error: serializeError(error) });
    }
  };
  parentPort?.on('message', onRequest);
  respond({ stats: sink.stats(), movedAside });
}

try {
  serve(new SqliteSink(workerData as SqliteOptions));
} catch (error) {
  respond({ error: serializeError(error) });
}
