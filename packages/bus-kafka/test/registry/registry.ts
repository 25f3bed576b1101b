import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { createSigningKey, type RecordName, type SigningKey, schemaBook, writerSchemas } from '@ringfence/wire';
import type { SchemaBook } from '../../src/registry/book.ts';

export const SCHEMAS = 'ringfence.schemas';

/** Signs the schemas of a service that may publish all of them. */
export const publisher: SigningKey = createSigningKey();
const root = createSigningKey();

/** Trusts the schemas that `publisher` has signed. */
export const book: SchemaBook = schemaBook({
  key: publisher,
  root,
  trusted: (role) => (keyId) => (role !== 'agent' && keyId === publisher.keyId ? publisher.publicKey : undefined),
});

/** Opens a bus without schemas. Its records are those on the wire. */
export async function wireWith(t: TestContext, ...topics: string[]): Promise<Bus> {
  const bus = await openEmbeddedBus({ path: ':memory:' });
  t.after(() => bus.close());
  const spec = { partitions: 1, retentionMs: Infinity, retentionBytes: Infinity };
  await bus.ensureTopics([
    { ...spec, name: SCHEMAS, compacted: true },
    ...topics.map((name) => ({ ...spec, name, compacted: false })),
  ]);
  return bus;
}

/** Starts a registry that answers as the test wants. Returns its address. */
export async function hostileServer(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks).toString('utf8')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function schemaOf(name: RecordName): { readonly fingerprint: string; readonly schema: string } {
  const found = writerSchemas().find((schema) => schema.name === name);
  if (found === undefined) throw new Error(`no schema ${name}`);
  return found;
}

/** Returns a new version of a schema: the current one with another field. */
export function newerSchema(name: RecordName, field = `more${Math.random().toString(36).slice(2)}`): string {
  const schema = JSON.parse(schemaOf(name).schema) as { fields: object[] };
  return JSON.stringify({ ...schema, fields: [...schema.fields, { name: field, type: 'long', default: 0 }] });
}
