import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const WIDTH = 100;
const PARAGRAPH = 6;

const documents = globSync('**/*.md', {
  cwd: root,
  exclude: (name) => /(^|\/)(node_modules|dist|\.git)$/.test(String(name)),
}).map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n') }));

/** Yields the lines outside of code blocks, with numbers from 1. */
function* proseOf(lines: readonly string[]): Generator<readonly [number, string]> {
  let isCode = false;
  for (const [index, line] of lines.entries()) {
    if (/^\s*```/.test(line)) isCode = !isCode;
    else if (!isCode) yield [index + 1, line];
  }
}

/** Returns the anchor that GitHub generates for a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchors = new Map(
  documents.map(({ path, lines }) => {
    const headings = [...proseOf(lines)].flatMap(([, line]) => /^#+ (.*)/.exec(line)?.[1] ?? []);
    return [path, new Set(headings.map(anchorOf))];
  }),
);

/** Returns the missing file or anchor of a link, or null if the link is valid. */
function brokenPart(path: string, target: string): string | null {
  const [file = '', anchor] = target.split('#');
  const linked = file === '' ? path : join(dirname(path), file);
  if (!existsSync(join(root, linked))) return linked;
  const known = anchors.get(linked);
  return anchor === undefined || known === undefined || known.has(anchor) ? null : `#${anchor} of ${linked}`;
}

test('every relative link of every document leads to an existing file and heading', () => {
  assert.ok(documents.length > 40);
  const broken = documents.flatMap(({ path, lines }) =>
    [...proseOf(lines)].flatMap(([number, line]) =>
      [...line.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
        const part = /^[a-z]+:/.test(target) ? null : brokenPart(path, target);
        return part === null ? [] : [`${path}:${number}: there is no ${part}`];
      }),
    ),
  );
  assert.deepEqual(broken, []);
});

const isStructure = (line: string): boolean => line === '' || /^([|#<]|!\[)/.test(line);
const isItem = (line: string): boolean => /^([-*]|\d+\.) /.test(line);
/** Whether the line is one word, such as a long code span or link, which cannot be wrapped. */
const isOneWord = (line: string): boolean => !line.replace(/^([-*]|\d+\.) /, '').includes(' ');

test('prose wraps at 100 columns, in paragraphs of at most six lines', () => {
  const faults = documents.flatMap(({ path, lines }) => {
    let length = 0;
    let previous = 0;
    return [...proseOf(lines)].flatMap(([number, text]) => {
      const line = text.trim();
      length = isStructure(line) || number !== previous + 1 ? 0 : isItem(line) ? 1 : length + 1;
      if (!isStructure(line) && length === 0) length = 1;
      previous = number;
      const isWide = text.length > WIDTH && !isStructure(line) && !isOneWord(line);
      if (isWide) return [`${path}:${number}: ${text.length} columns`];
      return length === PARAGRAPH + 1 ? [`${path}:${number}: the paragraph has more than ${PARAGRAPH} lines`] : [];
    });
  });
  assert.deepEqual(faults, []);
});
