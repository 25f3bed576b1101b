import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { ApiClient } from '../src/api/client.ts';
import { type Route, serveApi } from '../src/api/server.ts';

const dir = mkdtempSync(join(tmpdir(), 'rf-api-'));
test.after(() => rmSync(dir, { recursive: true }));
const socketIn = (name: string): string => join(dir, name, 'ringfence.sock');

async function* numbers(to: number): AsyncGenerator<number> {
  for (let n = 0; n < to; n++) yield n;
}

const routes: Readonly<Record<string, Route>> = {
  echo: (query, _, path) => ({ json: { query: Object.fromEntries(query), path } }),
  count: () => ({ lines: numbers(3) }),
  bytes: () => ({
    bytes: (async function* () {
      yield Buffer.from([1, 2, 3]);
    })(),
  }),
  refuse: () => {
    throw new OperatorError('not today');
  },
  break: () => {
    throw new TypeError('a bug');
  },
};

test('values, lines and bytes come back as they were given', async () => {
  const socket = socketIn('values');
  await using _ = await serveApi(socket, routes);
  const client = new ApiClient(socket);
  assert.deepEqual(await client.json('/echo/a%2Fb/c?x=1'), { query: { x: '1' }, path: ['a/b', 'c'] });
  assert.deepEqual(await Array.fromAsync(client.lines('/count')), [0, 1, 2]);
  assert.deepEqual(Buffer.concat(await Array.fromAsync(await client.stream('/bytes'))), Buffer.from([1, 2, 3]));
});

test('only the owner may open the socket', async () => {
  const socket = socketIn('mode');
  await using _ = await serveApi(socket, routes);
  assert.equal(statSync(socket).mode & 0o777, 0o600);
});

test('a refused, a broken and an unknown request say so', async () => {
  const socket = socketIn('errors');
  await using _ = await serveApi(socket, routes);
  const client = new ApiClient(socket);
  await assert.rejects(client.json('/refuse'), /not today/);
  await assert.rejects(client.json('/break'), /a bug/);
  await assert.rejects(client.json('/constructor'), /unknown request/);
});

test('the asker that goes away ends what it follows', async () => {
  const socket = socketIn('gone');
  const { promise, resolve } = Promise.withResolvers<void>();
  await using _ = await serveApi(socket, {
    follow: (__, signal) => ({
      lines: (async function* () {
        yield 1;
        await once(signal, 'abort');
        resolve();
      })(),
    }),
  });
  const stop = new AbortController();
  for await (const line of new ApiClient(socket).lines('/follow', stop.signal)) {
    assert.equal(line, 1);
    stop.abort();
  }
  await promise;
});

test('nobody there is told with what to do; a stale socket is replaced, a live one is not', async () => {
  const socket = socketIn('stale');
  const client = new ApiClient(socket);
  assert.deepEqual([await client.status(), await client.running()], [null, false]);
  await assert.rejects(
    client.json('/status'),
    (error: unknown) =>
      error instanceof OperatorError && error.code === 'ERR_NOT_RUNNING' && /npm start/.test(error.message),
  );
  {
    await using _ = await serveApi(socket, routes);
    await assert.rejects(serveApi(socket, routes), /another ringfence listens/);
  }
  // A killed process leaves its socket file: a listener that is closed without unlinking looks the same.
  const abandoned = createServer().listen(socket);
  await once(abandoned, 'listening');
  writeFileSync(join(dir, 'keep'), '');
  abandoned.close();
  await once(abandoned, 'close');
  await using _ = await serveApi(socket, routes);
  assert.deepEqual(await Array.fromAsync(client.lines('/count')), [0, 1, 2]);
});
