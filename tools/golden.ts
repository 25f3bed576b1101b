/**
 * Regenerates the golden files of tests:
 *
 *   npm run golden                         packages/wire/test/golden/records.golden.txt, from records.c and
 *                                          bpf/ringfence.h
 *   npm run golden -- --release VERSION    the permanent files of a release: its schemas in packages/wire/history and
 *                                          the state of its enricher
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scriptArguments } from '@ringfence/base/script';
import { recordsGolden } from '@ringfence/wire/test/golden';

const root = dirname(import.meta.dirname);
const RECORDS = 'packages/wire/test/golden/records.golden.txt';

function write(path: string, text: string): void {
  const file = join(root, path);
  const isSame = existsSync(file) && readFileSync(file, 'utf8') === text;
  if (!isSame) writeFileSync(file, text);
  console.log(`${path}: ${isSame ? 'unchanged' : 'written'}`);
}

/** Throws an Error if files of the version exist, because the files of a release never change. */
async function keepRelease(version: string): Promise<void> {
  const schemas = `packages/wire/history/${version}`;
  const state = `services/enricher/test/history/state-${version}.json`;
  for (const path of [schemas, state])
    if (existsSync(join(root, path))) throw new Error(`${path} exists: the files of a release never change`);
  const { keptState } = await import('@ringfence/enricher/test/kept-state');
  cpSync(join(root, 'packages/wire/avro'), join(root, schemas), { recursive: true });
  console.log(
    `${schemas}: written; run npm run check -- --fix, and add the fingerprints to packages/wire/test/history.test.ts`,
  );
  write(state, `${JSON.stringify(await keptState(version), null, 2)}\n`);
}

const { values } = scriptArguments(import.meta.filename, { options: { release: { type: 'string' } } });
if (values.release === undefined) write(RECORDS, recordsGolden());
else await keepRelease(values.release);
