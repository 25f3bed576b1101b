import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '@ringfence/base';
import { createSyntheticHost, logBatch } from '@ringfence/synthetic';
import {
  isKnownSchema,
  openRecording,
  recordingEntry,
  recordingHeader,
  routeOf,
  SchemaError,
  writerSchemas,
} from '@ringfence/wire';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import { codeOf, type FuzzSession, type FuzzTarget } from '../lib/target.ts';

const [SMALLEST = { schema: '' }] = writerSchemas().sort((a, b) => a.schema.length - b.schema.length);

const MAGIC = 'RINGFENCE RECORDING 1\n';

/** Reads a recording as replay does. Errors of single records end it, too. */
async function read(path: string): Promise<string> {
  try {
    await using recording = await openRecording(path);
    for await (const record of recording.records()) routeOf(record);
    return 'accepted';
  } catch (error) {
    if (error instanceof SchemaError) return error.code;
    codeOf(error, OperatorError);
    return 'refused';
  }
}

/** Returns the header with other keys and schemas. */
function headerBy(random: Random, header: Buffer): Buffer {
  // The schemas of a whole header take longer to read than everything else.
  if (random.once(30)) return header;
  const { enrolled } = JSON.parse(header.toString('utf8', MAGIC.length)) as { enrolled: unknown };
  const json = { schemas: [], enrolled };
  const { schema } = SMALLEST;
  const values: readonly unknown[] = [
    null,
    [],
    {},
    random.text(),
    [{ name: 'Event', schema: random.once(2) ? random.integer() : schema.slice(0, random.below(schema.length)) }],
    [{ name: random.text(), schema: null }],
    [null],
    { host: random.text() },
    { host: null },
  ];
  const changed = random.once(3) ? json : { ...json, [random.pick(['schemas', 'enrolled'])]: random.pick(values) };
  return Buffer.from(`${MAGIC}${JSON.stringify(changed)}\n`);
}

export const recordings: FuzzTarget = {
  name: 'recordings',
  description: 'files of `ringfence record`, as replay reads them',
  shortRuns: 100,
  outcomes: [
    'accepted',
    'refused',
    'ERR_SCHEMA_UNKNOWN',
    'ERR_SCHEMA_CONFLICT',
    'ERR_SCHEMA_FRAME',
    'ERR_SCHEMA_MALFORMED',
  ],
  memoryMax: 32 << 20,
  open(): FuzzSession {
    const directory = mkdtempSync(join(tmpdir(), 'rf-fuzz-'));
    const path = join(directory, 'fuzz.rec');
    const host = createSyntheticHost();
    host.tick();
    const header = recordingHeader(new Map([[host.hostId, host.key.publicKey]]));
    const entries = [
      recordingEntry(host.batch()),
      recordingEntry(logBatch(host, ['session opened', 'session closed'])),
    ];
    return {
      warmUp: () => void isKnownSchema('0'.repeat(16)),
      generate(random) {
        const parts = Array.from({ length: random.below(4) }, () => {
          const entry = random.pick(entries);
          return random.once(2) ? mutate(entry, random) : entry;
        });
        const file = Buffer.concat([headerBy(random, header), ...parts]);
        return random.once(4) ? mutate(file, random) : file;
      },
      async run(input) {
        writeFileSync(path, input);
        return read(path);
      },
      finish: () => rmSync(directory, { recursive: true }),
    };
  },
};
