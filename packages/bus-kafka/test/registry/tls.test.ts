import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { defined } from '@ringfence/base';
import { createTestCa, type TestCertificate } from '@ringfence/testkit';
import { registryMissing, sharedRegistry } from '@ringfence/testkit/servers';
import { RegistryClient } from '../../src/registry/client.ts';

const PASSWORD = `Basic ${Buffer.from('reader:secret').toString('base64')}`;

/** Puts a proxy with TLS and a password before the real registry. Returns its address. */
async function behindTls(t: TestContext, { certificate, key }: TestCertificate): Promise<string> {
  const { url } = await sharedRegistry();
  const base = new URL(url);
  const server = createServer({ cert: certificate, key }, (incoming, response) => {
    if (incoming.headers.authorization !== PASSWORD)
      return void response.writeHead(401).end('{"message":"unauthorized"}');
    const { method = 'GET', headers } = incoming;
    const onward = request(new URL(incoming.url ?? '', base), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}${base.pathname}`;
}

describe('a registry behind TLS', { skip: registryMissing() ?? false }, () => {
  const schema = `{"type":"record","name":"OverTls${process.pid}","fields":[]}`;

  test('is accepted with a certificate of the configured authority, and gets the password', async (t) => {
    const ca = await createTestCa();
    const url = await behindTls(t, await ca.issue('registry'));
    const client = new RegistryClient({ url, ca: ca.certificate, user: 'reader', password: 'secret' });
    const id = await client.register(`over-tls-${process.pid}`, schema);
    assert.equal(JSON.parse((await client.schemaById(id)) ?? '{}').name, `OverTls${process.pid}`);
    const unauthorized = new RegistryClient({
      url,
      ca: ca.certificate,
      user: 'reader',
      password: 'wrong',
      attempts: 1,
    });
    await assert.rejects(unauthorized.schemaById(id), /401/);
  });

  test('is refused with a certificate of another authority, for another name, or after it has expired', async (t) => {
    const ca = await createTestCa();
    const refusalOf = async (certificate: TestCertificate, authority?: string): Promise<string> => {
      const url = await behindTls(t, certificate);
      const options = { url, user: 'reader', password: 'secret', attempts: 1 };
      const client = new RegistryClient({ ...options, ...defined({ ca: authority }) });
      const error: unknown = await client.schemaById(1).catch((reason: unknown) => reason);
      assert.equal((error as { code?: string }).code, 'ERR_REGISTRY_UNREACHABLE');
      return (error as Error).message;
    };
    assert.match(await refusalOf(await ca.issue('registry')), /verify|self.signed/i);
    const wrongHost = await ca.issue('registry', { hosts: ['registry.example.org'] });
    assert.match(await refusalOf(wrongHost, ca.certificate), /127\.0\.0\.1|altname/i);
    assert.match(await refusalOf(await ca.issueExpired('registry'), ca.certificate), /expired/i);
  });
});
