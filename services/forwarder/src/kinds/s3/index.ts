import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { ENCODERS, encodingSetting } from '../../encode/json.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, secret } from '../../settings/values.ts';
import { defineKind, type Item, type SinkKind } from '../../sink.ts';
import { Bucket } from './bucket.ts';
import { objectsOf } from './objects.ts';
import { parquetFile } from './parquet.ts';

const word = (text: string): z.ZodString =>
  z.string().regex(/^[\w.-]{1,64}$/, `expected ${text}: up to 64 letters, digits, dots, dashes and underscores`);

const shape = {
  /** Address of the bucket: https://BUCKET.s3.REGION.amazonaws.com, or https://HOST/BUCKET */
  url: httpUrl,
  ...tlsShape,
  /** Region of the bucket; other stores than Amazon's have a name of their own, often us-east-1. */
  region: word('a region'),
  /** Id of the access key */
  accessKey: secret,
  /** Its secret key */
  secretKey: secret,
  /** Session token of temporary keys, which are read anew for each object */
  sessionToken: secret.optional(),
  /** Folders above region=, such as ext/ringfence */
  prefix: z
    .string()
    .regex(/^(?:[\w.-]{1,64}(?:\/[\w.-]{1,64}){0,15})?$/, 'expected folders like ext/ringfence')
    .default(''),
  /** Account in the layout; Security Lake has `external` for what comes from elsewhere. */
  accountId: word('an account').default('external'),
  /** `parquet`: OCSF events of one class, for Security Lake; `ndjson.gz`: one document of `encoding` in a line */
  format: z.enum(['ndjson.gz', 'parquet']).default('ndjson.gz'),
  /** Of the lines of `ndjson.gz`: ECS, or OCSF 1.8 */
  encoding: encodingSetting,
};

const lines = (items: readonly Item[], encode: (item: Item) => object): Uint8Array =>
  gzipSync(items.map((item) => `${JSON.stringify(encode(item))}\n`).join(''));

/** Objects in a bucket of S3, or of a store with its API. */
export const s3: SinkKind = defineKind({
  type: 's3',
  title: 'Objects in S3, in the layout of Amazon Security Lake',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: "gofakes3, with each signature checked by AWS's own signer, and DuckDB as the reader",
  defaults: { batch: 5000, digest: '5m' },
  check: ({ format }, { send }) =>
    format === 'parquet' && send?.length !== 1
      ? {
          format:
            'parquet needs one class of events in a folder: `send` must name one of alerts, incidents, responses, operators',
        }
      : {},
  open(settings, { name, common }) {
    const bucket = new Bucket(name, settings, common);
    const fileOf = (objects: readonly Item[]): Uint8Array =>
      settings.format === 'parquet' ? parquetFile(objects) : lines(objects, ENCODERS[settings.encoding]);
    return {
      async send(items, { signal }) {
        for (const object of objectsOf(items, settings))
          await bucket.put(`${object.name}.${settings.format}`, fileOf(object.items), signal);
        return [];
      },
      close: () => bucket.close(),
    };
  },
});
