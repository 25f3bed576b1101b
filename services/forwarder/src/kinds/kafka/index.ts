import { encode } from '@ringfence/wire';
import { z } from 'zod';
import { ENCODERS } from '../../encode/json.ts';
import { tlsShape } from '../../settings/common.ts';
import { hostPort, line, secret } from '../../settings/values.ts';
import { defineKind, type Item, type SinkKind } from '../../sink.ts';
import { KafkaTopic } from './topic.ts';

const LOOPBACK = /^(127\.|\[::1\]:|localhost:)/;

const sasl = z
  .strictObject({
    mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']),
    username: line.optional(),
    password: secret.optional(),
    /** Bearer token of oauthbearer, read for each connection */
    token: secret.optional(),
  })
  .refine(
    ({ mechanism, username, password, token }) =>
      mechanism === 'oauthbearer' ? token !== undefined : username !== undefined && password !== undefined,
    'expected username and password, or the token of oauthbearer',
  );

const shape = {
  /** host:port of the brokers to connect to first */
  brokers: z.array(hostPort).min(1).max(100),
  /** Must exist; Ringfence does not create it. */
  topic: z.string().regex(/^[\w.-]{1,249}$/, 'expected up to 249 letters, digits, dots, dashes and underscores'),
  /** ECS or OCSF 1.8 in JSON; `avro`: the record as Ringfence's own topics have it, in Avro's single-object encoding */
  format: z.enum(['ecs', 'ocsf', 'avro']).default('ecs'),
  /** Of the batches, which are also smaller in the topic then. */
  compression: z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('zstd'),
  /** false: only to brokers on loopback, unless `insecure` */
  tls: z.boolean().default(true),
  ...tlsShape,
  /** Login: `mechanism` with `username` and `password`, or `oauthbearer` with `token` */
  sasl: sasl.optional(),
};

/** A topic of another Kafka cluster. */
export const kafka: SinkKind = defineKind({
  type: 'kafka',
  title: 'Topic of another Kafka cluster, as ECS or OCSF in JSON, or as Avro',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: 'Apache Kafka',
  check({ tls, brokers, format }, { insecure, fields }) {
    const isPlain = !tls && !insecure && !brokers.every((broker) => LOOPBACK.test(broker));
    return {
      ...(isPlain ? { tls: 'records and passwords would travel unencrypted; `insecure: true` allows it' } : {}),
      ...(format === 'avro' && fields !== undefined ? { fields: 'a record in Avro has the fields of its schema' } : {}),
    };
  },
  open(settings, { name, common }) {
    const topic = new KafkaTopic(name, settings, common.timeout);
    const { format } = settings;
    const encodeItem = format === 'avro' ? avroOf : (item: Item) => Buffer.from(JSON.stringify(ENCODERS[format](item)));
    return {
      async send(items) {
        await topic.write(items.map((item) => ({ key: item.group, value: encodeItem(item) })));
        return [];
      },
      close: () => topic.close(),
    };
  },
});

function avroOf({ kind, record }: Item): Uint8Array {
  switch (kind) {
    case 'alert':
      return encode('Alert', record);
    case 'incident':
      return encode('Incident', record);
    case 'command':
      return encode('Command', record);
    case 'result':
      return encode('Result', record);
    case 'operator':
      return encode('OperatorAction', record);
  }
}
