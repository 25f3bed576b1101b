import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nearest, render } from '../src/diagnostics/diagnostics.ts';
import { Fault } from '../src/diagnostics/errors.ts';
import { FileReport } from '../src/diagnostics/report.ts';
import { LIMITS } from '../src/model/limits.ts';
import { compile } from './support/compile.ts';

describe('a diagnostic is placed', () => {
  const forms: readonly (readonly [string, string])[] = [
    ['plain', 'condition: process.name = bash and nonsense.field = 1'],
    ['plain over lines', 'condition: process.name = bash\n    and nonsense.field = 1'],
    ['single quotes', "condition: 'process.name = ''bash'' and nonsense.field = 1'"],
    ['double quotes', 'condition: "process.name = \\"bash\\"\\tand nonsense.field = 1"'],
    ['literal block', 'condition: |\n    process.name = bash\n    and nonsense.field = 1'],
    ['folded block', 'condition: >-\n    process.name = bash\n\n    and nonsense.field = 1'],
    ['after a wide character', "condition: process.name = 'ünï世' and nonsense.field = 1"],
  ];
  for (const [form, text] of forms) {
    test(`in YAML text written as ${form}`, () => {
      const source = `- rule: r\n  ${text}\n`;
      const [found] = compile(source).diagnostics;
      assert.equal(found?.code, 'unknown-field');
      const line = source.split('\n')[found.line - 1]!;
      assert.ok(line.slice(found.column - 1).startsWith('nonsense.field'), `${found.line}:${found.column}`);
    });
  }

  test('and drawn with its line, a caret and the hint', () => {
    const source = '- rule: r\n  condition: proces.name = bash\n';
    const [found] = compile(source).diagnostics;
    const expected = [
      "test.yaml:2:14: error: unknown field 'proces.name'",
      '  2 |   condition: proces.name = bash',
      '    |              ^',
      "  hint: Did you mean 'process.name'?",
    ];
    assert.equal(render(found!, source), expected.join('\n'));
  });

  test('without letting an escape sequence of the source through', () => {
    const source = `- rule: r\n  condition: "process.name = a and \u009b31mred = 1 \\e[31m"\n`;
    const [found] = compile(source).diagnostics;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for control characters
    assert.doesNotMatch(render(found!, source), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});

test('suggestions are computed only for reported errors: a hundred of ten thousand', () => {
  const report = new FileReport('a.yaml', () => ({ line: 1, column: 1 }));
  let asked = 0;
  const hint = (): string => `hint ${++asked}`;
  for (let i = 0; i < 10_000; i++) report.report('error', new Fault('code', 0, 'wrong', hint).movedTo(i), 'item');
  assert.equal(asked, LIMITS.diagnosticsPerSource);
  assert.equal(report.diagnostics()[0]!.hint, 'hint 1');
});

test('the nearest name is the first with the fewest typing errors', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(name, fc.array(name, { maxLength: 20 }), (word, known) => {
      const allowed = Math.max(1, Math.min(3, Math.floor(word.length / 3)));
      const slips = known.map((candidate) => slipsBetween(word, candidate));
      const fewest = Math.min(...slips);
      assert.equal(nearest(word, known), fewest <= allowed ? known[slips.indexOf(fewest)] : undefined);
    }),
  );
});

/** Counts omissions, insertions, substitutions and swapped neighbours. */
function slipsBetween(a: string, b: string, memo: Map<string, number> = new Map()): number {
  if (a === '' || b === '') return a.length + b.length;
  const key = `${a} ${b}`;
  const known = memo.get(key);
  if (known !== undefined) return known;
  const rest = (n: number, m: number): number => slipsBetween(a.slice(n), b.slice(m), memo);
  const swapped = a[0] === b[1] && a[1] === b[0] && a.length > 1 && b.length > 1;
  const slips = Math.min(
    rest(1, 1) + (a[0] === b[0] ? 0 : 1),
    rest(1, 0) + 1,
    rest(0, 1) + 1,
    swapped ? rest(2, 2) + 1 : Number.POSITIVE_INFINITY,
  );
  memo.set(key, slips);
  return slips;
}
