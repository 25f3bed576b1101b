/** Controls, format characters (bidi, zero width, tags), separators and private or unassigned ones: none is shown. */
const MARKED = /[\p{C}\p{Zl}\p{Zp}]/gu;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/**
 * Returns text of a host as HTML that can do nothing: markup is escaped, each character that shows nothing or changes
 * the order of others is a visible mark, and its direction is its own.
 */
export function inert(text: string): string {
  const escaped = text.toWellFormed().replace(/[&<>"'`]/g, (character) => ESCAPES[character] ?? '');
  return `<bdi>${escaped.replace(MARKED, markOf)}</bdi>`;
}

const markOf = (character: string): string =>
  `<i>U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}</i>`;
