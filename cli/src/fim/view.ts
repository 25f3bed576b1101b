import type { Paint } from '@ringfence/base';
import { type Change, pathOf } from '@ringfence/collector';
import { decodeText } from '@ringfence/schema';

export function changesText(changes: readonly Change[], at: string, files: number, paint: Paint): string {
  if (changes.length === 0) return `${paint.green('✓')} ${files} files are as they were at ${at}`;
  const marks = { added: paint.green('+'), removed: paint.red('-'), changed: paint.yellow('~') };
  const lines = changes.flatMap(({ path, what, fields }) => [
    `${marks[what]} ${pathText(path)}`,
    ...fields.map(
      ([name, before, after]) => `    ${name.padEnd(12)} ${short(pathText(before))} → ${short(pathText(after))}`,
    ),
  ]);
  return [...lines, `${changes.length} of ${files} files have changed since ${at}`].join('\n');
}

/** Names are anybody's: what could be an order to the terminal is escaped. */
export const pathText = (key: string): string => decodeText(pathOf(key));

const short = (value: string): string => (value.length > 64 ? `${value.slice(0, 61)}…` : value);
