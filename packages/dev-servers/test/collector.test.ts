import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { collectorMissing, startCollector } from '../src/collector.ts';

test('a collector passes logs on, and answers as its target does', { skip: collectorMissing() ?? false }, async (t) => {
  const received: string[] = [];
  const target = createServer(async (request, response) => {
    received.push(await text(request));
    response.writeHead(received.length === 1 ? 200 : 400).end();
  });
  await once(target.listen(0, '127.0.0.1'), 'listening');
  t.after(() => target.close());
  await using collector = await startCollector(`http://127.0.0.1:${(target.address() as AddressInfo).port}`);
  const body = JSON.stringify({
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'hello' } }] }] }],
  });
  const headers = { 'content-type': 'application/json' };
  const send = async (): Promise<number> =>
    (await fetch(`${collector.url}/v1/logs`, { method: 'POST', headers, body })).status;
  assert.equal(await send(), 200);
  assert.match(received[0]!, /hello/);
  assert.notEqual(await send(), 200);
});
