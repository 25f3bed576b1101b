import { createHash } from 'node:crypto';
import { ActionRefusedError } from '../errors.ts';
import { linesOf, removeLines, type TextChange, withoutBreak } from './lines.ts';

/** A key type and the key itself, wherever they stand in a line: options come before them. */
const KEYS = /(?:^|\s)(?:(?:ssh|ecdsa|sk)-[\w@.-]+)\s+([A-Za-z0-9+/]+={0,2})(?=\s|$)/g;

/** Returns whether a line of authorized_keys has the key with a fingerprint, as `ssh-keygen -lf` prints it. */
export const hasFingerprint =
  (fingerprint: string) =>
  (line: string): boolean =>
    [...line.matchAll(KEYS)].some(([, key = '']) => fingerprintOf(key) === fingerprint);

const fingerprintOf = (key: string): string =>
  `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`;

/** Compares with a line as events show it: as it is, or with each byte that is not UTF-8 as \xNN. */
export function isLine(line: string): (candidate: string) => boolean {
  const plain = Buffer.from(line).toString('latin1');
  const unescaped = line
    .split(/\\x([\da-f]{2})/)
    .map((part, index) => Buffer.from(part, index % 2 === 0 ? 'utf8' : 'hex'));
  const decoded = Buffer.concat(unescaped).toString('latin1');
  return (candidate) => candidate === plain || candidate === decoded;
}

/** Throws ActionRefusedError if a line to remove is continued, or continues another one. */
export function removeWholeLines(text: string, isWanted: (line: string) => boolean): TextChange[] {
  const lines = linesOf(text).map(withoutBreak);
  for (const [index, line] of lines.entries())
    if (isWanted(line) && (line.endsWith('\\') || lines[index - 1]?.endsWith('\\')))
      throw new ActionRefusedError('not-possible', `line ${index + 1} belongs to its neighbour: remove them by hand`);
  return [removeLines(text, isWanted)].filter((found) => found !== null);
}
