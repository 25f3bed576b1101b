import { z } from 'zod';
import { ENCODERS, type Encoding, encodingSetting } from '../../encode/json.ts';
import { authorizationOf, type Credentials, credentialShape } from '../../http/credentials.ts';
import { httpClientOf } from '../../http/http-client.ts';
import { portionsOf } from '../../http/portions.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, line, readSecret, secret } from '../../settings/values.ts';
import { defineKind, type Item, type SinkKind } from '../../sink.ts';
import { bulk } from './bulk.ts';

/** Clusters take 100 MB; a smaller request needs less of their memory. */
const REQUEST_MAX_BYTES = 8_000_000;

const index = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._{}-]{0,199}$/, 'expected the name of an index or data stream, in lower case');

const shape = {
  /** Address of the cluster, such as https://siem.example:9200. */
  url: httpUrl,
  ...tlsShape,
  /** Index or data stream; `{dataset}` becomes ringfence.alerts, ringfence.incidents or ringfence.actions. */
  index: index.default('logs-{dataset}-default'),
  /** Form of the documents: `ecs`, or `ocsf` (1.8, with an `@timestamp`). */
  encoding: encodingSetting,
  /** Ingest pipeline of the documents. */
  pipeline: line.optional(),
  /** Encoded API key, instead of a user or token. */
  apiKey: secret.optional(),
  ...credentialShape,
};

/** The bulk API of Elasticsearch, which OpenSearch has too. */
export const elasticsearch: SinkKind = defineKind({
  type: 'elasticsearch',
  title: 'Elasticsearch or OpenSearch, as ECS documents',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: 'Elasticsearch and OpenSearch',
  open(settings, { name, common }) {
    const client = httpClientOf({ name, common }, settings, {
      headers: () => ({ ...loginOf(settings), 'content-type': 'application/x-ndjson' }),
      gzip: true,
    });
    const encode = (item: Item): string => linesOf(item, settings);
    return {
      async send(items, { signal }) {
        const rejections = [];
        for (const portion of portionsOf(items, encode, REQUEST_MAX_BYTES))
          rejections.push(...(await bulk({ sink: name, client, pipeline: settings.pipeline }, portion, signal)));
        return rejections;
      },
      close: () => client.close(),
    };
  },
});

function loginOf(settings: Credentials & { readonly apiKey?: string | undefined }): Readonly<Record<string, string>> {
  const { apiKey } = settings;
  return apiKey === undefined ? authorizationOf(settings) : { authorization: `ApiKey ${readSecret(apiKey)}` };
}

/** `create` never replaces a document: an id that exists was sent before. A data stream needs the time. */
function linesOf(item: Item, { index, encoding }: { readonly index: string; readonly encoding: Encoding }): string {
  const dataset = String(item.document['event.dataset'] ?? `ringfence.${item.kind}`);
  const action = { create: { _index: index.replaceAll('{dataset}', dataset), _id: item.id } };
  const document = { '@timestamp': new Date(item.at / 1000).toISOString(), ...ENCODERS[encoding](item) };
  return `${JSON.stringify(action)}\n${JSON.stringify(document)}\n`;
}
