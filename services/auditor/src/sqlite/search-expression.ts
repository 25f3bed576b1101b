import { AuditQueryError } from '../errors.ts';

const MAX_WORDS = 32;
const HAS_TOKEN = /[\p{L}\p{N}_]/u;

/** What a person types as an FTS5 expression: each word is a phrase (so that `/etc/passwd` is `etc` then `passwd`), all must be there. */
export function matchExpression(text: string): string {
  const words = text.split(/\s+/).filter((word) => HAS_TOKEN.test(word));
  if (words.length === 0)
    throw new AuditQueryError('nothing to search for: give at least one word with a letter or a digit');
  if (words.length > MAX_WORDS) throw new AuditQueryError(`${words.length} words to search for: at most ${MAX_WORDS}`);
  return words
    .map((word) => {
      const prefix = word.endsWith('*') ? '*' : '';
      return `"${word.replaceAll('"', '""').replaceAll('\0', '')}"${prefix}`;
    })
    .join(' ');
}
