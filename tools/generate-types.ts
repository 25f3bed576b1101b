/**
 * Generates code from packages/wire/avro: types.generated.ts, with one interface per Avro record, and
 * leaves.generated.ts, with the number of each field that is read in place; and from packages/wire/history:
 * released.generated.ts, with the hash of each released schema. `--check` writes nothing and fails if a
 * committed file differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { recordNames, schemaOf } from '@ringfence/wire';
import { leavesText } from './emit-leaves.ts';
import { releasedText } from './emit-released.ts';

type Schema =
  | string
  | Schema[]
  | {
      type: Schema;
      name?: string;
      doc?: string;
      fields?: Field[];
      items?: Schema;
      values?: Schema;
      symbols?: string[];
    };
interface Field {
  name: string;
  type: Schema;
  doc?: string;
}

const GENERATED = new URL('../packages/wire/src/generated/', import.meta.url);
const PRIMITIVES: Record<string, string> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  bytes: 'Uint8Array',
};
const BANNER = '// Generated from packages/wire/avro by tools/generate-types.ts: edit the schemas, not this file.';
const RELEASED_BANNER =
  '// Generated from packages/wire/history by tools/generate-types.ts: `npm run golden -- --release` adds a release.';
const out: string[] = [];

const doc = (text: string | undefined, indent = ''): string => (text === undefined ? '' : `${indent}/** ${text} */\n`);

function typeText(schema: Schema): string {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? schema;
  if (Array.isArray(schema)) return unionText(schema);
  if (schema.type === 'array') return `readonly ${wrap(typeText(schema.items as Schema))}[]`;
  if (schema.type === 'map') return `{ readonly [key: string]: ${typeText(schema.values as Schema)} }`;
  if (schema.name !== undefined) {
    define(schema);
    return schema.name;
  }
  return typeText(schema.type);
}

const plural = (name = ''): string => `${name.replace(/y$/, 'ie').replace(/ch$/, 'che')}s`;
const wrap = (text: string): string => (text.includes('|') ? `(${text})` : text);

/** avsc represents a union by its plain value, unless several branches are records: then it wraps them by full name. */
function unionText(branches: Schema[]): string {
  const texts = branches.map(typeText);
  const records = branches.filter(
    (branch) => typeof branch === 'object' && !Array.isArray(branch) && branch.type === 'record',
  );
  return records.length < 2
    ? texts.join(' | ')
    : texts.map((text) => `{ readonly 'ringfence.${text}': ${text} }`).join('\n    | ');
}

function define(schema: Exclude<Schema, string | Schema[]>): void {
  const { name, doc: text } = schema;
  if (schema.type === 'fixed') out.push(`${doc(text)}export type ${name} = Uint8Array;\n`);
  else if (schema.type === 'enum') {
    const symbols = (schema.symbols ?? []).map((symbol) => `'${symbol}'`);
    out.push(
      `${doc(text)}export const ${plural(name)} = [${symbols.join(', ')}] as const;\nexport type ${name} = (typeof ${plural(name)})[number];\n`,
    );
  } else if (schema.type === 'record') {
    const fields = (schema.fields ?? []).map(
      (field) => `${doc(field.doc, '  ')}  readonly ${field.name}: ${typeText(field.type)};\n`,
    );
    out.push(`${doc(text)}export interface ${name} {\n${fields.join('')}}\n`);
  }
}

function typesText(): string {
  for (const name of recordNames) define(schemaOf(name) as unknown as Exclude<Schema, string | Schema[]>);
  const map = recordNames.map((name) => `  readonly ${name}: ${name};\n`).join('');
  return `${BANNER}\n\n${out.join('\n')}\nexport interface RecordTypes {\n${map}}\n`;
}

for (const [file, text] of [
  ['types.generated.ts', typesText()],
  ['leaves.generated.ts', `${BANNER}\n${leavesText()}`],
  ['released.generated.ts', `${RELEASED_BANNER}\n${releasedText()}`],
] as const) {
  const path = new URL(file, GENERATED);
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${file} differs from packages/wire: run: npm run check -- --fix`);
    process.exitCode = 1;
  }
}
