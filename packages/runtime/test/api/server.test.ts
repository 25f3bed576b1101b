import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { ApiClient } from '../../src/api/client.ts';
import { type Route, type Routes, serveApi } from '../../src/api/server.ts';

const dir = mkdtempSync(join(tmpdir(), 'rf-api-'));
test.after(() => rmSync(dir, { recursive: true }));
const socketIn = (name: string): string => join(dir, name, 'ringfence.sock');

async function* numbers(to: number): AsyncGenerator<number> {
  for (let n = 0; n < to; n++) yield n;
}

const reading = (answer: Route['answer']): Route => ({ operator: false, answer });

const routes: Routes = {
  echo: reading((query, _, path) => ({ json: { query: Object.fromEntries(query), path } })),
  count: reading(() => ({ lines: numbers(3) })),
  bytes: reading(() => ({
    bytes: (async function* () {
      yield Buffer.from([1, 2, 3]);
    })(),
  })),
  refuse: reading(() => {
    throw new OperatorError('not today');
  }),
  break: reading(() => {
    throw new TypeError('a bug');
  }),
};

test('the client receives JSON values, lines and bytes as the route returned them', async () => {
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

test('a refused, a failed and an unknown request reject with the reason', async () => {
  const socket = socketIn('errors');
  await using _ = await serveApi(socket, routes);
  const client = new ApiClient(socket);
  await assert.rejects(client.json('/refuse'), /not today/);
  await assert.rejects(client.json('/break'), /a bug/);
  await assert.rejects(client.json('/constructor'), /unknown request/);
});

test('a target that is no URL is a bad request, not an error of the server', async () => {
  const socket = socketIn('targets');
  await using _ = await serveApi(socket, routes);
  for (const target of ['/%', 'http://[', '/echo/%ff']) {
    const request = http.get({ socketPath: socket, path: target });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 400, target);
    response.destroy();
  }
});

test('a client that disconnects ends the stream that it follows', async () => {
  const socket = socketIn('disconnected');
  const { promise, resolve } = Promise.withResolvers<void>();
  await using _ = await serveApi(socket, {
    follow: reading((__, signal) => ({
      lines: (async function* () {
        yield 1;
        await once(signal, 'abort');
        resolve();
      })(),
    })),
  });
  const stop = new AbortController();
  for await (const line of new ApiClient(socket).lines('/follow', stop.signal)) {
    assert.equal(line, 1);
    stop.abort();
  }
  await promise;
});

test('the client reports that no ringfence is running, and how to start one', async () => {
  const client = new ApiClient(socketIn('missing'));
  assert.deepEqual([await client.status(), await client.isRunning()], [null, false]);
  await assert.rejects(
    client.json('/status'),
    (error: unknown) =>
      error instanceof OperatorError && error.code === 'ERR_NOT_RUNNING' && /npm start/.test(error.message),
  );
});

test('the socket of a killed process is replaced, the socket of a running process is not', async () => {
  const socket = socketIn('stale');
  const client = new ApiClient(socket);
  {
    await using _ = await serveApi(socket, routes);
    await assert.rejects(serveApi(socket, routes), /another ringfence listens/);
  }
  // A child that is killed while it listens, because Node removes the socket of a server that is closed.
  const program = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  assert.equal(spawnSync(process.execPath, ['-e', program, socket]).signal, 'SIGKILL');
  assert.ok(existsSync(socket));
  await using _ = await serveApi(socket, routes);
  assert.deepEqual(await Array.fromAsync(client.lines('/count')), [0, 1, 2]);
});
