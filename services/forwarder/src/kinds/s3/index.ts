import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { ecsLine } from '../../encode/json.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, secret } from '../../settings/values.ts';
import { defineKind, type Item, type SinkKind } from '../../sink.ts';
import { Bucket } from './bucket.ts';
import { objectsOf } from './objects.ts';

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
  /** `ndjson.gz`: one ECS document in a line. */
  format: z.enum(['ndjson.gz']).default('ndjson.gz'),
};

const encoders: Readonly<Record<'ndjson.gz', (items: readonly Item[]) => Uint8Array>> = {
  'ndjson.gz': (items) => gzipSync(items.map((item) => `${ecsLine(item)}\n`).join('')),
};

/** Objects in a bucket of S3, or of a store with its API. */
export const s3: SinkKind = defineKind({
  type: 's3',
  title: 'Objects in S3, in the layout of Amazon Security Lake',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: "gofakes3, with each signature checked by AWS's own signer",
  defaults: { batch: 5000, digest: '5m' },
  open(settings, { name, common }) {
    const bucket = new Bucket(name, settings, common);
    return {
      async send(items, { signal }) {
        for (const object of objectsOf(items, settings))
          await bucket.put(`${object.name}.${settings.format}`, encoders[settings.format](object.items), signal);
        return [];
      },
      close: () => bucket.close(),
    };
  },
});
