import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { ENCODERS, type Encoding, encodingSetting } from '../../encode/json.ts';
import { httpClientOf } from '../../http/http-client.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, line, readSecret, secret } from '../../settings/values.ts';
import { defineKind, type Item, type SinkKind } from '../../sink.ts';

const shape = {
  /** Where the events are posted. */
  url: httpUrl,
  ...tlsShape,
  /** Signs each request; `whsec_` and base64 as Standard Webhooks has it, or any text. A list while it is rotated. */
  secrets: z.array(secret).max(4).default([]),
  /** Value of the header Authorization. */
  authorization: secret.optional(),
  /** Further headers. */
  headers: z.record(line, line).default({}),
  /** Form of the data of an event: `ecs`, or `ocsf` (1.8). */
  encoding: encodingSetting,
  /** One CloudEvent a request, or a batch of them. */
  mode: z.enum(['batch', 'single']).default('batch'),
};

/** CloudEvents 1.0 in JSON over HTTP, signed after Standard Webhooks. */
export const webhook: SinkKind = defineKind({
  type: 'webhook',
  title: 'CloudEvents 1.0 by HTTP, signed after Standard Webhooks',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: 'a server of the tests, with the signature checked by the published algorithm',
  open(settings, { name, common }) {
    const client = httpClientOf({ name, common }, settings, {
      headers: () => ({
        ...settings.headers,
        ...(settings.authorization === undefined ? {} : { authorization: readSecret(settings.authorization) }),
      }),
    });
    const post = async (id: string, type: string, payload: unknown, signal: AbortSignal): Promise<void> => {
      const body = JSON.stringify(payload);
      await client.send({
        body,
        headers: { 'content-type': type, ...signatureOf(settings.secrets, id, body) },
        signal,
      });
    };
    return {
      async send(items, { signal }) {
        const events = items.map((item) => cloudEvent(item, settings.encoding));
        if (settings.mode === 'batch') {
          await post(`${items[0]!.id}+${items.length}`, 'application/cloudevents-batch+json', events, signal);
          return [];
        }
        for (const event of events) await post(event.id, 'application/cloudevents+json', event, signal);
        return [];
      },
      close: () => client.close(),
    };
  },
});

/** CloudEvents 1.0, structured mode. */
function cloudEvent(item: Item, encoding: Encoding): Record<string, unknown> & { readonly id: string } {
  const { kind, id, group, at, document } = item;
  return {
    specversion: '1.0',
    id,
    type: `ringfence.${kind}`,
    source: `/ringfence/${document['host.id'] ?? ''}`,
    subject: group,
    time: new Date(at / 1000).toISOString(),
    datacontenttype: 'application/json',
    data: ENCODERS[encoding](item),
  };
}

/** Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, one signature for each secret. */
function signatureOf(secrets: readonly string[], id: string, body: string): Record<string, string> {
  if (secrets.length === 0) return {};
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signatures = secrets.map((reference) => {
    const text = readSecret(reference);
    const key = text.startsWith('whsec_') ? Buffer.from(text.slice('whsec_'.length), 'base64') : Buffer.from(text);
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
