import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { startTracing } from '../src/index.ts';

const ALERT = '0123456789abcdef0123456789abcdef';

interface Received {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

/** A trace collector: accepts OTLP over HTTP with JSON. */
async function startCollector() {
  const spans: (Received & { readonly service: string })[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { resourceSpans } = JSON.parse(body) as {
        resourceSpans: {
          resource: { attributes: { key: string; value: { stringValue: string } }[] };
          scopeSpans: { spans: Received[] }[];
        }[];
      };
      for (const { resource, scopeSpans } of resourceSpans) {
        const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
        spans.push(...scopeSpans.flatMap((scope) => scope.spans).map((span) => ({ ...span, service })));
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    spans,
    endpoint: `http://127.0.0.1:${port}/v1/traces`,
    [Symbol.dispose]: () => void server.close().closeAllConnections(),
  };
}

describe('tracing', () => {
  it('joins the steps of independent services in one trace', async () => {
    using collector = await startCollector();
    const { endpoint, spans } = collector;
    for (const [service, name, start] of [
      ['collector', 'collect', 1_000_000_000_000_001],
      ['detector', 'detect', 1_000_000_000_000_500],
    ] as const) {
      await using tracer = await startTracing({ endpoint, version: '0', instance: 'a' });
      tracer.record({ alert: ALERT, name, service, start, end: start + 250 });
    }
    spans.sort((a, b) => (a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1));
    assert.deepEqual(
      spans.map(({ name, service, traceId }) => [name, service, traceId]),
      [
        ['collect', 'ringfence-collector', ALERT],
        ['detect', 'ringfence-detector', ALERT],
      ],
    );
    const [first, second] = spans;
    assert.equal(second?.parentSpanId, first?.spanId);
    assert.equal(first?.startTimeUnixNano, '1000000000000001000');
    assert.equal(first?.endTimeUnixNano, '1000000000000251000');
  });

  it('counts and logs lost spans when the trace collector is unreachable', async () => {
    const warnings: string[] = [];
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const endpoint = `http://127.0.0.1:${port}/v1/traces`;
    const log = { warn: (_: object, message: string): void => void warnings.push(message) };
    const tracer = await startTracing({ endpoint, version: '0', instance: 'a', log });
    for (const alert of [ALERT, 'not a trace id'])
      tracer.record({ alert, name: 'collect', service: 'collector', start: 1, end: 2 });
    await tracer[Symbol.asyncDispose]();
    assert.deepEqual(warnings, ['spans were lost: they could not be sent']);
    assert.equal(tracer.lost, 2);
  });
});
