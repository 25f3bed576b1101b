/**
 * Writes the generated documents: `npm run docs`. With `--check`, writes nothing and fails if a document is outdated.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { templateLines } from '@ringfence/auditor';
import { scriptArguments } from '@ringfence/base/script';
import { configDocs } from '@ringfence/config';
import { contentFor, detectionRule, importLines, savedObjectsOf } from '@ringfence/kibana';
import { efficacyDocs } from '@ringfence/rule-corpus/efficacy';
import { noiseDocs } from '@ringfence/rule-corpus/noise';
import { ruleFileSchema } from '@ringfence/rules';
import { errorDocs } from './error-docs.ts';
import { eventItemDocs } from './event-item-docs.ts';
import { wrapProse } from './markdown.ts';
import { pictures } from './pictures.ts';
import { eventDocs, fieldDocs } from './schema-docs.ts';
import { sinkDocs } from './sink-docs.ts';

const root = dirname(import.meta.dirname);

const DOCUMENTS: readonly { readonly path: string; readonly text: () => string }[] = [
  { path: 'docs/CONFIGURATION.md', text: () => wrapProse(configDocs()) },
  { path: 'docs/ERRORS.md', text: errorDocs },
  { path: 'docs/EFFICACY.md', text: () => wrapProse(efficacyDocs()) },
  { path: 'docs/EVENTS.md', text: () => `${eventDocs()}\n${eventItemDocs()}` },
  { path: 'docs/FIELDS.md', text: fieldDocs },
  { path: 'docs/NOISE.md', text: noiseDocs },
  { path: 'docs/SINKS.md', text: () => wrapProse(sinkDocs()) },
  { path: 'docs/rules.schema.json', text: () => `${JSON.stringify(ruleFileSchema(), null, 2)}\n` },
  { path: 'deploy/elasticsearch/templates.ndjson', text: templateLines },
  { path: 'deploy/kibana/saved-objects.ndjson', text: () => importLines(savedObjectsOf(contentFor('ringfence'))) },
  { path: 'deploy/kibana/detection-rule.ndjson', text: () => `${JSON.stringify(detectionRule('ringfence'))}\n` },
];

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

const { values } = scriptArguments(import.meta.filename, { options: { check: { type: 'boolean', default: false } } });
const written = DOCUMENTS.map(({ path, text }) => ({ path, text: text() }));
for (const { path, text: expected } of [...written, ...(await pictures(root))]) {
  if ((await readOrEmpty(join(root, path))) === expected) continue;
  if (values.check) {
    console.log(`${path} is outdated; run: npm run docs`);
    process.exitCode = 1;
  } else {
    await writeFile(join(root, path), expected);
    console.log(`${path} written`);
  }
}
