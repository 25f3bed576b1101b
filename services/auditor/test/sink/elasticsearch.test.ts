import { after, before } from 'node:test';
import { startElasticsearch } from '@ringfence/testkit';
import { openClusterStore } from './cluster.ts';
import { sinkSuite } from './suite.ts';

let server: Awaited<ReturnType<typeof startElasticsearch>>;
before(async () => {
  server = await startElasticsearch();
});
after(() => server[Symbol.asyncDispose]());

sinkSuite('Elasticsearch', () => openClusterStore(server.url));
