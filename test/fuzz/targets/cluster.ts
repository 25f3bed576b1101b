import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuditError, CLUSTER_DEFAULTS, ClusterReader } from '@ringfence/auditor';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import { codeOf, type FuzzTarget } from '../lib/target.ts';

const HITS = {
  took: 1,
  hits: {
    hits: [{ _id: 'alert-1', _source: { ringfence: { audit: { kind: 'alert', payload: 'AAAA' } } }, sort: [1, 'x'] }],
  },
};
const NOTHING = { hits: { hits: [] }, found: false };
const STRANGE: readonly unknown[] = [null, 0, -1, 'x', [], {}, { hits: null }, { hits: { hits: {} } }, true];

function strange(value: unknown, random: Random): unknown {
  if (random.once(6)) return random.pick(STRANGE);
  if (Array.isArray(value)) return value.map((item) => strange(item, random));
  if (typeof value !== 'object' || value === null) return random.once(5) ? random.text(60) : value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, strange(item, random)]));
}

export const cluster: FuzzTarget = {
  name: 'cluster',
  description: 'answers of Elasticsearch to a reader of the audit trail',
  shortRuns: 120,
  outcomes: ['accepted', 'refused'],
  memoryMax: 64 << 20,
  async open() {
    let answer: Buffer = Buffer.alloc(0);
    const server = createServer((request, response) => {
      request.resume();
      // The first byte selects the status, the rest is the body.
      const status = [200, 200, 200, 404, 500, 429, 301, 204][(answer[0] ?? 0) % 8] ?? 200;
      response.writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
      response.end(answer.subarray(1));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const reader = new ClusterReader({
      ...CLUSTER_DEFAULTS,
      nodes: [`http://127.0.0.1:${port}`],
      requestTimeoutMs: 2000,
    });
    const read = async (): Promise<string> => {
      try {
        await Array.fromAsync(reader.alerts({ limit: 3 }));
        await Array.fromAsync(reader.incidents({ limit: 3 }));
        await reader.incident('inc-1').catch((error: unknown) => codeOf(error, AuditError));
        return 'accepted';
      } catch (error) {
        codeOf(error, AuditError);
        return 'refused';
      }
    };
    return {
      generate(random) {
        const answered = random.once(4) ? NOTHING : strange(HITS, random);
        const body = Buffer.from(JSON.stringify(answered) ?? '');
        return Buffer.concat([
          Buffer.from([random.once(2) ? 0 : random.below(8)]),
          random.once(3) ? mutate(body, random) : body,
        ]);
      },
      async run(input) {
        answer = input;
        return await read();
      },
      async finish() {
        await reader[Symbol.asyncDispose]();
        server.closeAllConnections();
        server.close();
      },
    };
  },
};
