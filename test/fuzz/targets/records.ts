import {
  decode,
  fingerprint,
  isKnownSchema,
  type ReleasedSchema,
  releasedSchemas,
  SchemaError,
  writerSchemas,
} from '@ringfence/wire';
import { AvroGrammar, type AvroSchema } from '../lib/avro.ts';
import { mutate } from '../lib/mutate.ts';
import { type FuzzTarget, outcomeOf } from '../lib/target.ts';

interface Written {
  readonly name: ReleasedSchema['name'];
  /** Fingerprint, hex */
  readonly print: string;
  readonly schema: AvroSchema;
}

const SCHEMAS: readonly Written[] = [
  ...writerSchemas().map(({ name, fingerprint: print, schema }) => ({
    ...{ name, print },
    schema: JSON.parse(schema) as AvroSchema,
  })),
  ...releasedSchemas().map(({ name, type }) => {
    const schema = type.schema() as unknown as AvroSchema;
    return { name, print: fingerprint(JSON.stringify(schema)).toString('hex'), schema };
  }),
];

/** The first byte of an input chooses the record, of this version or a released one. */
export const records: FuzzTarget = {
  name: 'records',
  description: 'records of every topic, such as Command, Result and InterestRecord, of this version and released ones',
  shortRuns: 2000,
  outcomes: ['accepted', 'ERR_SCHEMA_FRAME', 'ERR_SCHEMA_UNKNOWN', 'ERR_SCHEMA_MALFORMED'],
  memoryMax: 8 << 20,
  open: () => ({
    // The first unknown fingerprint loads the released schemas, which is no cost of that input.
    warmUp: () => void isKnownSchema('0'.repeat(16)),
    generate(random) {
      const chosen = random.below(SCHEMAS.length);
      const { print, schema } = SCHEMAS[chosen] as Written;
      const body = new AvroGrammar(random, 2048).value(schema);
      const framed = Buffer.concat([
        Buffer.from([0xc3, 1]),
        Buffer.from(print, 'hex'),
        random.once(3) ? mutate(body, random) : body,
      ]);
      return Buffer.concat([Buffer.from([chosen]), random.once(20) ? mutate(framed, random) : framed]);
    },
    run(input) {
      const { name } = SCHEMAS[(input[0] ?? 0) % SCHEMAS.length] as Written;
      return outcomeOf(() => decode(name, input.subarray(1)), SchemaError);
    },
  }),
};
