/** The thread that stores: reads records, packs, hashes, writes. Everything that would hold up the process's other services. */
import { parentPort, workerData } from 'node:worker_threads';
import { asBuffer, learnSchema } from '@ringfence/wire';
import type { SqliteOptions } from '../config.ts';
import { createAuditPipeline } from '../pipeline.ts';
import { SqliteSink } from '../sqlite/sink.ts';
import { type Answer, errorFacts, type Learnt, type Request } from './protocol.ts';

function answer(message: Answer): void {
  parentPort?.postMessage(message);
}

function serve(sink: SqliteSink): void {
  const pipeline = createAuditPipeline(sink);
  const { movedAside } = sink;
  const store = async (request: Request | Learnt): Promise<void> => {
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
        answer({ heads: await sink.heads() });
        return;
      }
      // SQLite refuses nothing, so there is no more to the effect than what is stored.
      await pipeline(request.map((record) => ({ ...record, value: record.value && asBuffer(record.value) })));
      answer({ stats: sink.stats(), movedAside });
    } catch (error) {
      answer({ error: errorFacts(error) });
    }
  };
  parentPort?.on('message', store);
  answer({ stats: sink.stats(), movedAside });
}

try {
  serve(new SqliteSink(workerData as SqliteOptions));
} catch (error) {
  answer({ error: errorFacts(error) });
}
