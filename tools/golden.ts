/**
 * Makes the golden files of tests again:
 *
 *   npm run golden                         packages/wire/test/golden/records.golden.txt, from records.c and bpf/ringfence.h
 *   npm run golden -- --release VERSION    what a release keeps for ever: packages/wire/history/VERSION and the enricher's state
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const root = dirname(import.meta.dirname);
const RECORDS = 'packages/wire/test/golden/records';

/** Compiles and runs records.c; returns what it prints. */
export function recordsGolden(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ringfence-golden-'));
  try {
    const program = join(directory, 'records');
    execFileSync('cc', ['-Wall', '-Werror', '-o', program, join(root, `${RECORDS}.c`)]);
    return execFileSync(program, { encoding: 'utf8' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function write(path: string, text: string): void {
  const file = join(root, path);
  const isSame = existsSync(file) && readFileSync(file, 'utf8') === text;
  if (!isSame) writeFileSync(file, text);
  console.log(`${path}: ${isSame ? 'unchanged' : 'written'}`);
}

/** Throws an Error if the version has been released before: its files never change. */
async function keepRelease(version: string): Promise<void> {
  const schemas = `packages/wire/history/${version}`;
  const state = `services/enricher/test/history/state-${version}.json`;
  for (const path of [schemas, state])
    if (existsSync(join(root, path))) throw new Error(`${path} is there: the files of a release never change`);
  const { keptState } = await import('../services/enricher/test/kept-state.ts');
  cpSync(join(root, 'packages/wire/avro'), join(root, schemas), { recursive: true });
  console.log(`${schemas}: written; add its fingerprints to packages/wire/test/history.test.ts`);
  write(state, `${JSON.stringify(await keptState(version), null, 2)}\n`);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { release: { type: 'string' } } });
  if (values.release === undefined) write(`${RECORDS}.golden.txt`, recordsGolden());
  else await keepRelease(values.release);
}
