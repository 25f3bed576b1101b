import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { render } from '../src/diagnostics/diagnostics.ts';
import { LIMITS } from '../src/model/limits.ts';
import { compile, compileCondition, createTestEvent, matches } from './support/compile.ts';

const GOOD = '- rule: good\n  condition: process.name = bash\n';

/** Expects one clear error, no crash, and the good rule of another file still active. */
function refuses(text: string, message: RegExp): void {
  const set = compile('', {
    sources: [
      { name: 'good.yaml', text: GOOD },
      { name: 'bad.yaml', text },
    ],
  });
  assert.deepEqual(
    set.rules.map(({ name }) => name),
    ['good'],
  );
  assert.match(set.diagnostics.map((found) => found.message).join('\n') || 'no diagnostics', message);
  assert.ok(set.diagnostics.length <= LIMITS.diagnosticsPerSource + 1);
}

const condition = (text: string): string => `- rule: r\n  condition: ${JSON.stringify(text)}\n`;

describe('hostile rule files', () => {
  test('of fifty megabytes are refused unread', () => refuses(GOOD.repeat(1_200_000), /allowed/));
  test('with too many items are refused', () => refuses('- a\n'.repeat(20_000), /20000 items/));
  test('with collections nested without end are refused', () => {
    refuses('['.repeat(100_000), /nested too deeply|not valid YAML/);
    refuses(`- rule: r\n  tags: ${'['.repeat(100)}${']'.repeat(100)}`, /more than 16 nested YAML collections/);
  });
  test('with aliases that multiply are refused', () => {
    const levels = Array.from({ length: 30 }, (_, i) => `- &a${i + 1} [${`*a${i}, `.repeat(9)}]\n`);
    refuses(`- &a0 [x, x]\n${levels.join('')}`, /YAML aliases|more than \d+ (values|YAML collections)/);
  });
  test('with an alias of itself are refused', () => refuses('- &a [*a]\n', /anchor|more than 16|YAML/));
  test('with a hundred thousand errors report some and count the rest', () => {
    refuses(GOOD.replace('good', 'x').replace('process.name', 'p.n').repeat(9_000), /unknown field|already/);
  });
  test('of binary rubbish are refused', () =>
    refuses(String.fromCharCode(...Array.from({ length: 5000 }, (_, i) => (i * 7919) % 65_536)), /./));
  test('with unsupported YAML get one error', () => {
    refuses(condition('process.name resembles bash'), /./);
    refuses(condition('user.id = root'), /number/);
    refuses(condition('user.id contains 1'), /./);
    refuses(condition('container.privileged = maybe'), /true or false/);
    refuses(GOOD, /already/);
  });
  test('with macros or lists that name themselves are refused', () => {
    refuses('- macro: a\n  condition: b\n- macro: b\n  condition: a\n- rule: r\n  condition: a\n', /itself/);
    refuses(
      '- list: a\n  items: [b]\n- list: b\n  items: [a]\n- rule: r\n  condition: process.name in (a)\n',
      /itself/,
    );
  });
  test('with keys named like parts of objects are refused like any other', () => {
    refuses('- rule: r\n  __proto__: x\n  constructor: y\n  condition: user.id = 1\n', /unknown key '__proto__'/);
    refuses(condition('constructor = 1'), /unknown/);
    refuses(condition('toString(process.name) = 1'), /unknown function 'toString'/);
    refuses('- rule: r\n  condition: user.id = 1\n  priority: constructor\n', /not a valid priority/);
  });
});

describe('hostile conditions', () => {
  test('with parentheses, nots or functions without end are refused', () => {
    refuses(condition('('.repeat(10_000)), /more than 64 nested levels/);
    refuses(condition('not '.repeat(10_000)), /more than 64 nested levels/);
    refuses(condition('tolower('.repeat(8_000)), /more than 64 nested levels/);
  });
  test('that are very long are refused', () =>
    refuses(condition('user.id = 1 or '.repeat(10_000)), /characters; 65536 are allowed/));
  test('that grow through macros without end are refused', () => {
    const levels = Array.from(
      { length: 40 },
      (_, i) => `- macro: m${i + 1}\n  condition: m${i} and (m${i} or m${i})\n`,
    ).join('');
    refuses(
      `- macro: m0\n  condition: user.id = 1\n${levels}- rule: r\n  condition: m40\n`,
      /comparisons with its macros expanded/,
    );
  });
  test('of macros inside macros without end are refused', () => {
    const chain = Array.from({ length: 2_000 }, (_, i) => `- macro: m${i + 1}\n  condition: m${i}\n`);
    refuses(
      `- macro: m0\n  condition: user.id = 1\n${chain.toReversed().join('')}- rule: r\n  condition: m2000\n`,
      /more than \d+ /,
    );
    refuses(
      `- macro: m0\n  condition: user.id = 1\n${chain.join('')}- rule: r\n  condition: m2000\n`,
      /more than \d+ /,
    );
  });
  test('of lists inside lists that multiply stay small', () => {
    const levels = Array.from(
      { length: 50 },
      (_, i) => `- list: l${i + 1}\n  items: [${Array(50).fill(`l${i}`).join(', ')}]\n`,
    ).join('');
    const set = compile(`- list: l0\n  items: [bash, sh]\n${levels}- rule: r\n  condition: process.name in (l50)\n`);
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, createTestEvent('exec', { 'process.name': 'sh' })), ['r']);
  });
  test('are not searched for contradictions by patterns, each of which takes long to compile', () => {
    for (const pattern of ["regex '^b$'", 'glob ?b*', 'in (a) and not process.name glob ?'])
      assert.deepEqual(compileCondition(`process.name = a and process.name ${pattern}`).diagnostics, [], pattern);
    const address = 'destination.ip = 10.0.0.1 and destination.ip cidr 192.168.0.0/16';
    assert.deepEqual(compileCondition(address).diagnostics, []);
  });
  test('with a hundred thousand values are matched', () => {
    const items = Array.from({ length: 100_000 }, (_, i) => `w${i}`).join(', ');
    const set = compile(
      `- list: words\n  items: [${items}]\n- rule: r\n  condition: process.name in (words)\n- rule: s\n  condition: process.name startswith (words)\n`,
    );
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, createTestEvent('exec', { 'process.name': 'w99999' })), ['r', 's']);
    assert.deepEqual(matches(set, createTestEvent('exec', { 'process.name': 'v' })), []);
  });
});

describe('hostile literals', () => {
  test('of more characters than a table has room for are still found', () => {
    // As many columns as there are characters: one table would have hundreds of millions of cells.
    const words = Array.from({ length: 9_000 }, (_, i) => String.fromCharCode(0x4e00 + i, 0x4e00 + ((i * 7) % 9_000)));
    const set = compile(
      words.map((word, i) => `- rule: r${i}\n  condition: process.command_line contains ${word}\n`).join(''),
    );
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, createTestEvent('exec', { 'process.command_line': `x${words[77]}y` })), ['r77']);
  });
  test('that are prefixes of each other cost memory proportional to their length', () => {
    const set = compile(
      Array.from(
        { length: 700 },
        (_, i) => `- rule: r${i}\n  condition: process.command_line contains ${'a'.repeat(i + 1)}\n`,
      ).join(''),
    );
    assert.equal(matches(set, createTestEvent('exec', { 'process.command_line': 'a'.repeat(32_000) })).length, 700);
  });
});

describe('any text at all', () => {
  const word = fc.constantFrom(
    ...[
      '- rule: r',
      '- macro: m',
      '- list: l',
      'condition: ',
      'items: ',
      'output: ',
      'threshold: ',
      'tags: ',
      'priority: ',
      '\n  ',
      '\n',
      ' ',
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      ',',
    ],
    ...[
      '"',
      "'",
      ':',
      '-',
      '&a',
      '*a',
      '|',
      '>',
      '#',
      '%',
      '!',
      'and',
      'or',
      'not',
      'in',
      '=',
      '<',
      'regex',
      'glob',
      'cidr',
      'exists',
      'val(',
      'tolower(',
      'm',
      'l',
      'r',
    ],
    ...[
      'process.name',
      'user.id',
      'destination.ip',
      'proc.aname[1]',
      'container.privileged',
      'count: 2',
      'within: 1s',
      'distinct: user.id',
      '\\',
      '\u0000',
      '\ud800',
      '世',
    ],
  );
  test('as a file gives rules or diagnostics that point into it, and never throws', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const text = words.join('');
        const set = compile(text);
        const lines = text.split('\n').length;
        for (const found of set.diagnostics) {
          assert.ok(found.line >= 1 && found.line <= lines && found.column >= 1, JSON.stringify(found));
          render(found, text);
        }
      }),
      { numRuns: 2000 },
    );
  });
  test('as a condition gives a rule or diagnostics', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 25 }), (words) => {
        const set = compileCondition(words.join(' '));
        const errors = set.diagnostics.filter(({ severity }) => severity === 'error');
        assert.equal(set.rules.length === 1, errors.length === 0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('hostile values', () => {
  test('do not make regular expressions backtrack', () => {
    const patterns = ['(a+)+$', '(a|aa)+b', '(.*)*x', '([a-z]+)*[0-9]', '(a?){60}a{60}'];
    const set = compile(
      patterns
        .map(
          (pattern, i) => `- rule: r${i}\n  condition: process.command_line regex ${JSON.stringify(`'${pattern}'`)}\n`,
        )
        .join('')
        .replaceAll('"', ''),
    );
    assert.deepEqual(set.diagnostics, []);
    // A backtracking engine would take practically forever; a linear one finishes at once.
    assert.deepEqual(matches(set, createTestEvent('exec', { 'process.command_line': `${'a'.repeat(32_000)}!` })), [
      'r4',
    ]);
  });
  test('do not make globs take more than their length times the text', () => {
    const set = compileCondition(`process.command_line glob '${'*a'.repeat(30)}b'`);
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, createTestEvent('exec', { 'process.command_line': 'a'.repeat(32_000) })), []);
  });
  test('of a field that is absent on every event match nothing', () => {
    const set = compileCondition(
      'process.name = x or process.args contains y or user.id < 5 or destination.ip cidr 0.0.0.0/0 or process.name regex .',
    );
    for (const kind of ['exec', 'open', 'connect', 'exit', 'tick'])
      assert.deepEqual(matches(set, createTestEvent(kind)), []);
  });
  test('that look like addresses but are none are in no network', () => {
    const set = compileCondition('destination.ip cidr (0.0.0.0/0, ::/0)');
    for (const address of ['', '1', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1..2.3', '::g', 'x'.repeat(10_000)]) {
      assert.deepEqual(matches(set, createTestEvent('connect', { 'destination.ip': address })), [], address);
    }
  });
});
