import type { Paint } from '@ringfence/base';
import { type Change, pathOf } from '@ringfence/host-facts';
import { decodeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';

export function changesText(changes: readonly Change[], at: string, files: number, paint: Paint): string {
  if (changes.length === 0) return `${paint.green('✓')} no change in ${counted(files, 'file')} since ${at}`;
  const marks = { added: paint.green('+'), removed: paint.red('-'), changed: paint.yellow('~') };
  const lines = changes.flatMap(({ path, what: change, fields }) => [
    `${marks[change]} ${pathText(path)}`,
    ...fields.map(
      ([name, before, after]) => `    ${name.padEnd(12)} ${shorten(pathText(before))} → ${shorten(pathText(after))}`,
    ),
  ]);
  return [
    ...lines,
    `${counted(changes.length, 'change')} since ${at}; the baseline has ${counted(files, 'file')}`,
  ].join('\n');
}

/** Formats a path or link target with control characters escaped: any user can choose file names. */
export const pathText = (key: string): string => decodeText(pathOf(key));

const shorten = (value: string): string => (value.length > 64 ? `${value.slice(0, 61)}…` : value);
