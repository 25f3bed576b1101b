import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RegistryClient } from '../../src/registry/client.ts';
import { hostileServer } from './registry.ts';

describe('a registry that means no good, or is ill', () => {
  test('an answer of many megabytes is cut off', async (t) => {
    let sent = 0;
    const url = await hostileServer(t, (_, response) => {
      const chunk = 'x'.repeat(65_536);
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    });
    await assert.rejects(new RegistryClient({ url }).schemaById(1), {
      code: 'ERR_REGISTRY_ANSWER',
      message: /more than/,
    });
    assert.ok(sent < 64 * 2 ** 20, `${sent} bytes were taken`);
  });

  test('one that never answers is given up within the deadline, and asked again', async (t) => {
    let asked = 0;
    const url = await hostileServer(t, () => asked++);
    const client = new RegistryClient({ url, timeoutMs: 100, attempts: 2 });
    await assert.rejects(client.schemaById(1), {
      code: 'ERR_REGISTRY_UNREACHABLE',
      fate: 'retriable',
      message: /100 ms/,
    });
    assert.equal(asked, 2);
  });

  test('one that sends a byte now and then is given up within the same deadline', async (t) => {
    const url = await hostileServer(t, (_, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const client = new RegistryClient({ url, timeoutMs: 200, attempts: 1 });
    await assert.rejects(client.schemaById(1), { code: 'ERR_REGISTRY_UNREACHABLE' });
  });

  test('5xx and 429 are asked again, and what comes then counts', async (t) => {
    const statuses = [500, 429];
    const url = await hostileServer(t, (_, response) => {
      response.statusCode = statuses.shift() ?? 200;
      response.end('{"schema":"\\"int\\""}');
    });
    assert.equal(await new RegistryClient({ url }).schemaById(7), '"int"');
    assert.deepEqual(statuses, []);
  });

  test('nobody at the address: said with the address, retriable', async () => {
    const client = new RegistryClient({ url: 'http://127.0.0.1:1', attempts: 1 });
    await assert.rejects(client.schemaById(1), {
      code: 'ERR_REGISTRY_UNREACHABLE',
      message: /127\.0\.0\.1:1: .*ECONNREFUSED/,
    });
  });

  for (const [what, body] of [
    ['no JSON', '<html>'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number for the schema', '{"schema":5}'],
  ] as const)
    test(`${what} instead of a schema is refused`, async (t) => {
      const url = await hostileServer(t, (_, response) => response.end(body));
      await assert.rejects(new RegistryClient({ url }).schemaById(1), { code: 'ERR_REGISTRY_ANSWER' });
    });

  for (const id of ['-1', '4294967296', '1.5', '"1"', 'null'])
    test(`an id of ${id} is refused`, async (t) => {
      const url = await hostileServer(t, (_, response) => response.end(`{"id":${id}}`));
      await assert.rejects(new RegistryClient({ url }).register('a', '"int"'), { code: 'ERR_REGISTRY_ANSWER' });
    });

  test('a redirect is not followed', async (t) => {
    const seen: string[] = [];
    const url = await hostileServer(t, (request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(302, { location: '/elsewhere' }).end('{}');
    });
    await assert.rejects(new RegistryClient({ url }).schemaById(1), { code: 'ERR_REGISTRY_REFUSED' });
    assert.deepEqual(seen, ['/schemas/ids/1']);
  });

  test('a refusal tells what to check and shows no control characters of the answer', async (t) => {
    const url = await hostileServer(t, (_, response) => {
      response.statusCode = 403;
      response.end(JSON.stringify({ message: `\u001b[31mno ${'x'.repeat(5000)}` }));
    });
    await assert.rejects(new RegistryClient({ url }).schemaById(1), (error: Error) => {
      assert.match(error.message, /answered 403: {2}\[31mno x+: check schemaRegistry\.user/);
      assert.ok(error.message.length < 800);
      return true;
    });
  });
});

test('user and password are shown to the registry and in no message', async (t) => {
  let shown: string | undefined;
  const url = await hostileServer(t, (request, response) => {
    shown = request.headers.authorization;
    response.statusCode = 401;
    response.end('{}');
  });
  const client = new RegistryClient({ url, user: 'svc', password: 'hunter2' });
  await assert.rejects(client.schemaById(1), (error: Error) => !error.message.includes('hunter2'));
  assert.equal(shown, `Basic ${Buffer.from('svc:hunter2').toString('base64')}`);
  assert.throws(
    () => new RegistryClient({ url: 'https://svc:hunter2@registry' }),
    (error: Error) => /schemaRegistry\.user/.test(error.message) && !error.message.includes('hunter2'),
  );
  assert.throws(() => new RegistryClient({ url: 'registry:8081' }), { code: 'ERR_REGISTRY_ANSWER' });
});
