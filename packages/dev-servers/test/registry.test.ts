import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registryMissing, startRegistry } from '../src/registry.ts';

async function call(url: string, body?: object): Promise<{ status: number; answer: Record<string, unknown> }> {
  const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
  const init = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await fetch(url, init);
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

function record(...fields: string[]): { schema: string } {
  const typed = fields.map((name) => ({ name, type: 'string' }));
  return { schema: JSON.stringify({ type: 'record', name: 'R', fields: typed }) };
}

test('a registry assigns ids to schemas, rejects incompatible schemas, and keeps them over a restart', {
  skip: registryMissing() ?? false,
}, async () => {
  await using server = await startRegistry();
  const subject = `${server.url}/subjects/s/versions`;
  const { answer } = await call(subject, record('a'));
  assert.equal(typeof answer['id'], 'number');
  const config = { method: 'PUT', headers: { 'content-type': 'application/json' } };
  await fetch(`${server.url}/config/s`, { ...config, body: '{"compatibility":"BACKWARD"}' });
  assert.equal((await call(subject, record('a', 'b'))).status, 409);
  await server.stop();
  await server.start();
  const known = await call(`${server.url}/schemas/ids/${answer['id']}`);
  assert.deepEqual(JSON.parse(String(known.answer['schema'])), JSON.parse(record('a').schema));
});
