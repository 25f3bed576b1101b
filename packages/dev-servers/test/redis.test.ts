import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redis } from 'ioredis';
import { redisMissing, startRedis } from '../src/redis.ts';

const skip = redisMissing() ?? false;

test('a durable Redis keeps acknowledged writes over a kill, and nothing after a flush', {
  skip,
}, async () => {
  await using server = await startRedis({ durable: true });
  const client = new Redis(server.url);
  await client.set('k', 'v');
  await server.stop('SIGKILL');
  await server.start();
  assert.equal(await client.get('k'), 'v');
  await server.flush();
  assert.equal(await client.get('k'), null);
  client.disconnect();
});

test('a Redis with a password requires it', { skip }, async () => {
  await using server = await startRedis({ password: 'a "b" c/d' });
  const client = new Redis(server.url);
  assert.equal(await client.ping(), 'PONG');
  client.disconnect();
  await server.flush();
  const stranger = new Redis({ host: '127.0.0.1', port: server.port });
  stranger.on('error', () => {});
  await assert.rejects(stranger.get('k'), /NOAUTH/);
  stranger.disconnect();
});
