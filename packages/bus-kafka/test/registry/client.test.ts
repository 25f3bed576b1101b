import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RegistryClient } from '../../src/registry/client.ts';
import { hostileServer } from './registry.ts';

describe('a hostile or broken registry', () => {
  test('an answer of many megabytes is aborted', async (t) => {
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
    assert.ok(sent < 64 * 2 ** 20, `${sent} bytes were read`);
  });

  test('a request without an answer ends at its deadline, and is retried', async (t) => {
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

  test('an answer that trickles in ends at the same deadline', async (t) => {
    const url = await hostileServer(t, (_, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const client = new RegistryClient({ url, timeoutMs: 200, attempts: 1 });
    await assert.rejects(client.schemaById(1), { code: 'ERR_REGISTRY_UNREACHABLE' });
  });

  test('a request is retried after status 5xx and 429', async (t) => {
    const statuses = [500, 429];
    const url = await hostileServer(t, (_, response) => {
      response.statusCode = statuses.shift() ?? 200;
      response.end('{"schema":"\\"int\\""}');
    });
    assert.equal(await new RegistryClient({ url }).schemaById(7), '"int"');
    assert.deepEqual(statuses, []);
  });

  test('a refused connection is a retriable error with the address', async () => {
    const client = new RegistryClient({ url: 'http://127.0.0.1:1', attempts: 1 });
    await assert.rejects(client.schemaById(1), {
      code: 'ERR_REGISTRY_UNREACHABLE',
      message: /127\.0\.0\.1:1: .*ECONNREFUSED/,
    });
  });

  for (const [kind, body] of [
    ['HTML', '<html>'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number for the schema', '{"schema":5}'],
  ] as const)
    test(`${kind} instead of a schema is an error`, async (t) => {
      const url = await hostileServer(t, (_, response) => response.end(body));
      await assert.rejects(new RegistryClient({ url }).schemaById(1), { code: 'ERR_REGISTRY_ANSWER' });
    });

  for (const id of ['-1', '4294967296', '1.5', '"1"', 'null'])
    test(`an id of ${id} is an error`, async (t) => {
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

  test('the error of a refusal names the settings to check, and has no control characters of the answer', async (t) => {
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

test('user and password are sent to the registry, and appear in no message', async (t) => {
  let authorization: string | undefined;
  const url = await hostileServer(t, (request, response) => {
    authorization = request.headers.authorization;
    response.statusCode = 401;
    response.end('{}');
  });
  const client = new RegistryClient({ url, user: 'svc', password: 'hunter2' });
  await assert.rejects(client.schemaById(1), (error: Error) => !error.message.includes('hunter2'));
  assert.equal(authorization, `Basic ${Buffer.from('svc:hunter2').toString('base64')}`);
  assert.throws(
    () => new RegistryClient({ url: 'https://svc:hunter2@registry' }),
    (error: Error) => /schemaRegistry\.user/.test(error.message) && !error.message.includes('hunter2'),
  );
  assert.throws(() => new RegistryClient({ url: 'registry:8081' }), { code: 'ERR_REGISTRY_ANSWER' });
});
