import {
  decode,
  isKnownSchema,
  learnSchema,
  publishSchema,
  readPublishedSchema,
  SchemaError,
  schemaBook,
  writerSchemas,
} from '@ringfence/wire';
import { AvroGrammar, type AvroSchema } from '../lib/avro.ts';
import { mutate } from '../lib/mutate.ts';
import { Random } from '../lib/random.ts';
import { type FuzzTarget, outcomeOf } from '../lib/target.ts';

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];
const SCHEMAS = writerSchemas().filter(({ schema }) => schema.length < 8000);

/** Returns a type: mostly a valid one, sometimes empty, recursive, redefined or with attributes of another type. */
function typeBy(random: Random, depth: number): unknown {
  const inner = (): unknown => (depth > 5 ? random.pick(PRIMITIVES) : typeBy(random, depth + 1));
  const name = random.once(10) ? random.text() : `T${random.below(20)}`;
  const some = <T>(make: () => T): T[] => Array.from({ length: random.below(4) }, make);
  switch (random.below(random.once(20) ? 12 : 8)) {
    case 0:
      return { type: 'array', items: inner() };
    case 1:
      return { type: 'map', values: inner() };
    case 2:
      return { type: 'record', name, fields: some(() => ({ name: `f${random.below(99)}`, type: inner() })) };
    case 3:
      return { type: 'fixed', name, size: random.integer() };
    case 4:
      return { type: 'enum', name, symbols: some(() => `S${random.below(50)}`) };
    case 5:
      return ['null', inner(), ...some(inner)];
    case 6:
    case 7:
      return random.pick(PRIMITIVES);
    case 8:
      return name;
    case 9:
      return random.integer();
    case 10:
      return { type: inner(), items: inner(), name };
    default:
      return null;
  }
}

/** Returns the schema of a record with another field, without one, or with changed text. */
function schemaBy(random: Random): string {
  const { schema } = random.pick(SCHEMAS);
  if (random.once(4)) return mutate(Buffer.from(schema), random).toString();
  const json = JSON.parse(schema) as { fields: object[] };
  const fields = [...json.fields];
  const added = { name: random.once(9) ? random.text() : `added${random.below(1000)}`, type: typeBy(random, 0) };
  fields.splice(random.below(fields.length), random.once(4) ? 1 : 0, added);
  return JSON.stringify({ ...json, fields, ...(random.once(9) ? { namespace: random.text() } : {}) });
}

/** Learns the schema, and decodes records of it as their readers would. */
function learnAndDecode(text: string): string {
  const outcome = outcomeOf(() => learnSchema(text), SchemaError);
  if (outcome !== 'accepted') return outcome;
  const learnt = learnSchema(text);
  if (learnt === null) return 'no record';
  const random = new Random(text.length);
  for (let record = 0; record < 5; record++) {
    const body = new AvroGrammar(random, 512).value(JSON.parse(text) as AvroSchema);
    const framed = Buffer.concat([Buffer.from([0xc3, 1]), Buffer.from(learnt.fingerprint, 'hex'), body]);
    outcomeOf(() => decode(learnt.name, framed), SchemaError);
  }
  return outcome;
}

export const schemas: FuzzTarget = {
  name: 'schemas',
  description: 'Avro schemas of ringfence.schemas and of registries, and records that are written with them',
  shortRuns: 250,
  outcomes: ['accepted', 'no record', 'ERR_SCHEMA_UNKNOWN', 'ERR_SCHEMA_CONFLICT'],
  memoryMax: 32 << 20,
  open() {
    const book = schemaBook(null);
    return {
      warmUp: () => void isKnownSchema('0'.repeat(16)),
      generate: (random) => Buffer.from(schemaBy(random)),
      run(input) {
        const { schema, keyId } = readPublishedSchema(input);
        if (keyId !== '') throw new Error('an unsigned schema has a signer');
        outcomeOf(() => book.identify(schema), SchemaError);
        return learnAndDecode(schema);
      },
      finish() {
        const [{ schema } = { schema: '' }] = SCHEMAS;
        if (book.identify(publishSchema(schema, null).toString()).standing !== 'known')
          throw new Error('a schema is lost');
      },
    };
  },
};
