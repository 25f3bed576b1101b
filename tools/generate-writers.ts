/** Writes packages/schema/src/generated/writers.generated.ts: writers of records on the hot path, from their schemas. `--check` only compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { schemaOf } from '../packages/schema/src/schemas.ts';

type Schema =
  | string
  | Schema[]
  | {
      readonly type: Schema;
      readonly name?: string;
      readonly size?: number;
      readonly items?: Schema;
      readonly fields?: Field[];
    };
interface Field {
  readonly name: string;
  readonly type: Schema;
}
type Complex = Exclude<Schema, string | Schema[]>;

const OUT = new URL('../packages/schema/src/generated/writers.generated.ts', import.meta.url);
/** Most bytes that a value takes. */
const BOUNDED: Readonly<Record<string, number>> = { int: 5, long: 10, boolean: 1 };

const named = new Map<string, Complex>();
const written = new Set<string>();
const functions: string[] = [];

/** Every named type of the schemas, whatever defines it first. */
function collect(schema: Schema): void {
  if (typeof schema === 'string') return;
  if (Array.isArray(schema)) {
    for (const branch of schema) collect(branch);
    return;
  }
  if (schema.name !== undefined) named.set(schema.name, schema);
  for (const inner of [schema.items, ...(schema.fields ?? []).map(({ type }) => type)])
    if (inner !== undefined) collect(inner);
  if (typeof schema.type !== 'string') collect(schema.type);
}

/** A field's statement, and how many bytes must be there before it; null: it makes its own room. */
function statement({ name, type }: Field): { readonly text: string; readonly room: number | null } {
  const schema = typeof type === 'string' ? (named.get(type) ?? type) : type;
  const value = `value.${name}`;
  if (typeof schema === 'string') {
    const room = BOUNDED[schema];
    if (room !== undefined) return { text: `out.${schema === 'boolean' ? 'boolean' : 'long'}(${value});`, room };
    if (schema === 'bytes') return { text: `out.bytes(${value}, 0, ${value}.length);`, room: null };
    if (schema === 'string') return { text: `out.string(${value});`, room: null };
  } else if (!Array.isArray(schema)) {
    if (schema.type === 'fixed') return { text: `out.fixed(${value}, 0, ${schema.size});`, room: schema.size ?? 0 };
    if (schema.type === 'record') return { text: `${writer(schema, false)}(out, ${value});`, room: null };
  }
  throw new Error(`${name}: this generator writes no ${JSON.stringify(schema)}`);
}

/** Makes the record's writer; its name. */
function writer(record: Complex, exported: boolean): string {
  const name = `write${record.name}`;
  if (written.has(name)) return name;
  written.add(name);
  const lines: string[] = [];
  let run: string[] = [];
  let room = 0;
  const flush = (): void => {
    if (run.length > 0) lines.push(`  out.ensure(${room});`, ...run);
    run = [];
    room = 0;
  };
  for (const field of record.fields ?? []) {
    const { text, room: needed } = statement(field);
    if (needed === null) {
      flush();
      lines.push(`  ${text}`);
    } else {
      run.push(`  ${text}`);
      room += needed;
    }
  }
  flush();
  const head = `${exported ? 'export ' : ''}function ${name}(out: AvroWriter, value: ${record.name}): void {`;
  functions.push(`/** Appends a ${record.name} as Avro encodes it. */\n${head}\n${lines.join('\n')}\n}\n`);
  return name;
}

for (const record of ['Event', 'RawBatch', 'EventBatch'] as const) collect(schemaOf(record) as unknown as Schema);
for (const name of ['Process']) writer(named.get(name) as Complex, true);

const types = [...written].map((name) => name.slice('write'.length)).sort();
const text = `// Generated from packages/schema/avro by tools/generate-writers.ts: edit the schemas, not this file.

import type { AvroWriter } from '../writer.ts';
import type { ${types.join(', ')} } from './types.generated.ts';

${functions.join('\n')}`;

if (process.argv.includes('--check')) {
  if (readFileSync(OUT, 'utf8') !== text) {
    console.error(
      'packages/schema/src/generated/writers.generated.ts is out of step; run: node tools/generate-writers.ts',
    );
    process.exitCode = 1;
  }
} else writeFileSync(OUT, text);
