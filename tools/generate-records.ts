/**
 * Generates code from the BTF of bpf/ringfence.h: readers of its structs (packages/wire), and the conversion of its
 * records to Avro (packages/sensor).
 *
 *   node --conditions=@ringfence/source tools/generate-records.ts [OBJECT] [--check]
 *
 * Without OBJECT, compiles the header by itself. With OBJECT, such as the built sensor, reads the layouts from that
 * object. `--check` writes nothing and fails if a committed file differs.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Btf, emitRecords } from '@ringfence/libbpf-ts';
import { findCompiler } from '@ringfence/sensor/build';
import { emitTranscoder } from './emit-transcoder.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const header = join(root, 'bpf/ringfence.h');
const banner = '// Generated from bpf/ringfence.h by `npm run check -- --fix`: edit the header, not this file.';
const transcoderBanner =
  '// Generated from bpf/ringfence.h and packages/wire/avro/event.avsc by `npm run check -- --fix`: edit these, not this file.';

/** The text of each generated file. */
type Outputs = ReadonlyMap<string, string>;

const declaredTypes = (text: string): string[] =>
  Array.from(text.matchAll(/^(struct|enum) (rf_\w+) \{/gm), (match) => `${match[1]} ${match[2]}`);

/** Compiles the header with a variable of each type, because the compiler emits BTF only for types that are used. */
async function compileHeader(types: readonly string[], directory: string): Promise<string> {
  const source = join(directory, 'records.c');
  const object = join(directory, 'records.o');
  const variables = types.map((type) => `${type} use_${type.split(' ')[1]};`);
  await writeFile(source, [`#include "${header}"`, ...variables, ''].join('\n'));
  const include = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const args = ['-g', '-O2', '-target', 'bpf', `-I${include}`, '-c', source, '-o', object];
  await run((await findCompiler()).name, args);
  return object;
}

function emit(types: readonly string[], object: string): Outputs {
  const btf = Btf.fromObject(object);
  const names = types.map((type) => type.split(' ')[1] ?? '');
  return new Map([
    [
      join(root, 'packages/wire/src/generated/records.generated.ts'),
      emitRecords(btf, { prefix: 'rf_', types: names, header: banner }),
    ],
    [join(root, 'packages/sensor/src/records/transcoder.generated.ts'), emitTranscoder(btf, transcoderBanner)],
  ]);
}

async function generate(object: string | undefined): Promise<Outputs> {
  const types = declaredTypes(await readFile(header, 'utf8'));
  if (object !== undefined) return emit(types, object);
  const directory = await mkdtemp(join(tmpdir(), 'records-'));
  try {
    return emit(types, await compileHeader(types, directory));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Returns the number of the first line that differs, from 1. */
function firstDifference(expected: string, actual: string): number {
  const lines = expected.split('\n');
  return actual.split('\n').findIndex((line, index) => line !== lines[index]) + 1;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } });
  for (const [output, text] of await generate(positionals[0])) {
    if (values.check !== true) {
      await writeFile(output, text);
      continue;
    }
    const committed = await readFile(output, 'utf8');
    if (committed === text) continue;
    console.error(
      `${output}:${firstDifference(committed, text)}: differs from bpf/ringfence.h; run: npm run check -- --fix`,
    );
    process.exitCode = 1;
  }
}

await main();
