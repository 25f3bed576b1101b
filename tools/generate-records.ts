/**
 * Writes what is made from the BTF of bpf/ringfence.h: readers for its structs (packages/schema), and what turns its records into Avro (the collector).
 *
 *   node --conditions=@ringfence/source tools/generate-records.ts [OBJECT] [--check]
 *
 * Without OBJECT the header is compiled by itself. With it (the built sensor) the layouts come from what really runs. `--check` writes nothing
 * and fails when a committed file differs.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Btf, emitRecords } from '@ringfence/libbpf-ts';
import { findCompiler } from './build-sensor.ts';
import { emitTranscoder } from './emit-transcoder.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const header = join(root, 'bpf/ringfence.h');
const banner = '// Generated from bpf/ringfence.h by `npm run check -- --fix`: edit the header, not this file.';
const transcoderBanner =
  '// Generated from bpf/ringfence.h and packages/schema/avro/event.avsc by `npm run check -- --fix`: edit these, not this file.';

/** Text by file. */
type Outputs = ReadonlyMap<string, string>;

const declared = (text: string): string[] =>
  Array.from(text.matchAll(/^(struct|enum) (rf_\w+) \{/gm), (match) => `${match[1]} ${match[2]}`);

/** A compiler emits BTF for what is used, so a variable of each type uses it. */
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
      join(root, 'packages/schema/src/generated/records.generated.ts'),
      emitRecords(btf, { prefix: 'rf_', types: names, header: banner }),
    ],
    [join(root, 'services/collector/src/generated/transcoder.generated.ts'), emitTranscoder(btf, transcoderBanner)],
  ]);
}

async function generate(object: string | undefined): Promise<Outputs> {
  const types = declared(await readFile(header, 'utf8'));
  if (object !== undefined) return emit(types, object);
  const directory = await mkdtemp(join(tmpdir(), 'records-'));
  try {
    return emit(types, await compileHeader(types, directory));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The first line that differs, 1-based. */
function firstDifference(before: string, after: string): number {
  const lines = before.split('\n');
  return after.split('\n').findIndex((line, index) => line !== lines[index]) + 1;
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
      `${output}:${firstDifference(committed, text)}: out of step with bpf/ringfence.h; run: npm run check -- --fix`,
    );
    process.exitCode = 1;
  }
}

await main();
