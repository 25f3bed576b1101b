import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { inText } from '../src/compile/search/patterns.ts';
import { type Pattern, TextSearch } from '../src/compile/search/text-search.ts';
import { TextTable } from '../src/compile/search/text-table.ts';
import { Trie } from '../src/compile/search/trie.ts';
import { Fault } from '../src/diagnostics/errors.ts';
import { compileGlob, globLiterals, globMeaning } from '../src/text/glob.ts';
import { compileRegex } from '../src/text/regex.ts';
import { requiredText } from '../src/text/required.ts';

type Operator = 'equals' | 'startswith' | 'endswith' | 'contains' | 'pathprefix';

function isFound(operator: Operator, word: string, text: string): boolean {
  if (operator === 'equals') return text === word;
  if (operator === 'startswith') return text.startsWith(word);
  if (operator === 'endswith') return text.endsWith(word);
  if (operator === 'contains') return text.includes(word);
  return text === word || text.startsWith(word === '/' ? word : `${word}/`);
}

const sameAs = (first: Pattern, second: Pattern): boolean =>
  first.text === second.text && first.atStart === second.atStart && first.atEnd === second.atEnd;

describe('literal search', () => {
  const literals = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 }), {
    minLength: 1,
    maxLength: 12,
  });
  const haystack = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '世'), maxLength: 30 });

  test('finds in one pass what startsWith(), endsWith(), includes() and === find', () => {
    const operators = ['equals', 'startswith', 'endswith', 'contains', 'pathprefix'] as const;
    const patterns = fc.uniqueArray(
      fc.tuple(
        fc.constantFrom(...operators),
        fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 4 }),
      ),
      { minLength: 1, maxLength: 12, selector: ([operator, word]) => `${operator} ${word}` },
    );
    const hay = fc.string({ unit: fc.constantFrom('a', 'b', '/', '世'), maxLength: 12 });
    fc.assert(
      fc.property(patterns, hay, (asked, text) => {
        const all = asked.flatMap(([operator, word], number) =>
          inText(operator, word).map((pattern) => ({ pattern, number })),
        );
        const distinct = all.filter(({ pattern }, i) => all.findIndex((first) => sameAs(first.pattern, pattern)) === i);
        const search = TextSearch.build(distinct.map(({ pattern }) => pattern));
        assert.ok(search !== undefined);
        const numbersOf = (found: Set<number>) => (index: number) => {
          const { pattern } = distinct[index]!;
          for (const first of all) if (sameAs(first.pattern, pattern)) found.add(first.number);
        };
        const found = new Set<number>();
        search.find(text, numbersOf(found));
        const expected = asked.flatMap(([operator, word], number) => (isFound(operator, word, text) ? [number] : []));
        assert.deepEqual(
          [...found].sort((a, b) => a - b),
          expected,
        );
        const inBytes = new Set<number>();
        const bytes = Buffer.from(`b${text}b`);
        const isComplete = search.findAt({ bytes, start: 1, end: bytes.length - 1 }, numbersOf(inBytes));
        assert.ok(isComplete || text.includes('世'));
        assert.ok(isComplete ? inBytes.size === found.size : [...inBytes].every((number) => found.has(number)));
      }),
      { numRuns: 2000 },
    );
  });

  test('returns whether startsWith(), endsWith() or includes() finds one of many', () => {
    fc.assert(
      fc.property(literals, haystack, fc.boolean(), (words, hay, backwards) => {
        const given = words.map((text, number) => ({ text, whole: false, number }));
        const atEdge = words.some((word) => (backwards ? hay.endsWith(word) : hay.startsWith(word)));
        assert.equal(Trie.build(given, backwards)?.some(hay), atEdge);
        assert.equal(
          TextTable.build(given)?.some(hay),
          words.some((word) => hay.includes(word)),
        );
      }),
    );
  });

  test('every match of a regular expression contains its required text', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      'ab',
      'ba',
      '.',
      '[ab]',
      '[^]a]',
      '(a|b)',
      '(?:ab)',
      '\\.',
      '\\w',
      '^',
      '$',
      '|',
      'b{',
      '(?i)',
      '(?i:b)',
      '[[:alpha:]]',
    );
    const repeat = fc.constantFrom('', '', '', '*', '+', '?', '{0,1}', '{2}');
    const pattern = fc
      .array(fc.tuple(piece, repeat), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.flat().join(''));
    let required = 0;
    fc.assert(
      fc.property(
        pattern,
        fc.string({ unit: fc.constantFrom('a', 'b', '.', 'B', '{'), maxLength: 10 }),
        (expression, hay) => {
          const word = requiredText(expression);
          if (word !== '') required++;
          try {
            if (compileRegex(expression)(hay))
              assert.ok(hay.includes(word), `${expression} matches ${hay} without ${word}`);
          } catch (error) {
            if (!(error instanceof Fault)) throw error;
          }
        },
      ),
      { numRuns: 3000 },
    );
    assert.ok(required > 500, 'most of the expressions must have something to check');
  });

  test('a glob means the same as an equivalent regular expression', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }),
        (glob, hay) => {
          const expected = new RegExp(`^${glob.replace(/\*+/g, '.*').replaceAll('?', '.')}$`).test(hay);
          assert.equal(compileGlob(glob)(hay), expected);
          const { operator, text: part } = globMeaning(glob);
          const simple = {
            equals: hay === part,
            startswith: hay.startsWith(part),
            endswith: hay.endsWith(part),
            contains: hay.includes(part),
            glob: expected,
          };
          assert.equal(simple[operator], expected);
          for (const required of globLiterals(glob)) {
            const found = {
              startswith: hay.startsWith(required.text),
              endswith: hay.endsWith(required.text),
              contains: hay.includes(required.text),
            };
            assert.ok(!expected || found[required.operator]);
          }
        },
      ),
    );
  });
});
