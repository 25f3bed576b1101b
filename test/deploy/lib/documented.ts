import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './brought.ts';

/** The arguments of the command in deploy/image/README.md that begins with `start`, after that. */
export function documented(start: string): string[] {
  const text = readFileSync(join(ROOT, 'deploy/image/README.md'), 'utf8').replaceAll('\\\n', ' ');
  const line = text.split('\n').find((candidate) => candidate.startsWith(start));
  assert.ok(line !== undefined, `deploy/image/README.md has no command ${start}`);
  return line.slice(start.length).trim().split(/\s+/);
}
