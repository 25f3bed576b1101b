/** Columns of prose in Markdown. */
const WIDTH = 100;

/** Wraps one paragraph. Code spans stay in one piece. */
export function paragraph(text: string): string {
  const words = text.match(/(?:`[^`]*`|\S)+/g) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

/** Wraps the paragraphs of a document that stand in one line. Tables, headings, lists and code stay as they are. */
export function wrapProse(document: string): string {
  let isCode = false;
  const lines = document.split('\n').map((line) => {
    if (line.startsWith('```')) isCode = !isCode;
    return isCode || line.length <= WIDTH || /^[|#<`\s-]|^\d+\. /.test(line) ? line : paragraph(line);
  });
  return lines.join('\n');
}
