import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const KINDS = join(import.meta.dirname, '../../src/kinds');

/** Returns the blocks of a language in the README of a kind. */
export function readmeBlocks(kind: string, language: string): string[] {
  const text = readFileSync(join(KINDS, kind, 'README.md'), 'utf8');
  return text
    .split(`\`\`\`${language}\n`)
    .slice(1)
    .map((rest) => rest.slice(0, rest.indexOf('```')));
}
