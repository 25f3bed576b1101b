/** Helpers of the generated Markdown documents. */

/** Column at which prose wraps. */
const WIDTH = 100;

export const code = (text: string): string => `\`${text}\``;

/** Escapes bars, which would end the table cell. */
export const cell = (text: unknown): string => String(text ?? '').replaceAll('|', '\\|');

/** Wraps a paragraph between words, never inside a code span. */
export function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/(?:`[^`]*`|\S)+/g) ?? []) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

/** Wraps the one-line paragraphs of a document. Tables, headings, lists and code keep their lines. */
export function wrapProse(document: string): string {
  let isCode = false;
  const lines = document.split('\n').map((line) => {
    if (line.startsWith('```')) isCode = !isCode;
    return isCode || line.length <= WIDTH || /^[|#<`\s-]|^\d+\. /.test(line) ? line : wrap(line);
  });
  return lines.join('\n');
}
