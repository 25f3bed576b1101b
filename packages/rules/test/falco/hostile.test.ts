import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createTestEvent, HEAD, load, matching, rule } from './support.ts';

const WORDS = [
  'rule macro list condition items output desc priority tags enabled source exceptions append override name fields comps values',
  'required_engine_version required_plugin_versions version alternatives skip-if-unknown-filter warn_evttypes true false replace',
  'r m l e syscall in = contains proc.name evt.type 0.57.0 17 99999999999999999999 WARNING {} %proc.name(',
]
  .join(' ')
  .split(' ');
const CONDITIONS = [
  '(m) or proc.name in (l)',
  'evt.type = open',
  'proc.name = concat(',
  "join(',', (proc.name",
  'not',
  'm and',
  'fd.ip = val(x.y)',
];

const word = fc.oneof(fc.constantFrom(...WORDS, ...CONDITIONS), fc.string({ maxLength: 12 }));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...WORDS), tie('value'), { maxKeys: 5 }),
  ),
}));
const item = fc.tuple(
  fc.constantFrom('rule', 'macro', 'list'),
  fc.constantFrom('r', 'm', 'l'),
  fc.dictionary(fc.constantFrom(...WORDS), value, { maxKeys: 6 }),
);

describe('any content of a Falco file', () => {
  test('loads to rules or diagnostics, and the rules can be matched', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 8 }), (items) => {
        const nodes = items.map(([kind, name, more]) => ({ [kind]: name, ...more }));
        const set = load(HEAD + nodes.map((node) => `- ${JSON.stringify(node)}\n`).join(''));
        for (const { line, column } of set.diagnostics) assert.ok(line >= 1 && column >= 1);
        matching(set, createTestEvent('exec', { 'process.name': 'r', 'proc.args': '' }));
      }),
      { numRuns: 500 },
    );
  });

  /** Each must finish within seconds; a slower one is quadratic. */
  const large: readonly (readonly [title: string, text: string, expected: RegExp])[] = [
    [
      'changes of rules that are not there',
      '- rule: zz\n  enabled: true\n  override: { enabled: replace }\n'.repeat(3_000),
      /there is no rule 'zz'/,
    ],
    [
      'items appended one by one',
      `- list: l\n  items: []\n${'- list: l\n  append: true\n  items: [a]\n'.repeat(3_000)}`,
      /^$/,
    ],
    [
      'conditions appended one by one',
      `${rule('r', 'proc.name = x')}${'- rule: r\n  append: true\n  condition: or proc.name = y\n'.repeat(5_000)}`,
      /characters/,
    ],
    [
      'exceptions without end',
      rule(
        'r',
        'evt.type = execve',
        `  exceptions: [{ name: e, fields: [proc.name], values: [${'[a],'.repeat(30_000)}] }]\n`,
      ),
      /30000 exceptions; 20000 are allowed/,
    ],
    [
      'exceptions appended one by one',
      `${rule('r', 'evt.type = execve')}${'- { rule: r, append: true, exceptions: [{ name: e, fields: proc.name, values: [a] }] }\n'.repeat(3_000)}`,
      /^$/,
    ],
    ['more items than are allowed', '- list: l\n  items: []\n'.repeat(10_001), /10002 items in one file/],
    ['macros in a circle', '- macro: a\n  condition: (b)\n- macro: b\n  condition: (a)\n', /refers to itself/],
    ['deep functions', rule('r', `${'concat('.repeat(5_000)}proc.name${')'.repeat(5_000)} = x`), /nested levels/],
  ];
  for (const [title, text, expected] of large) {
    test(`${title}: loading ends with one clear error`, () => {
      const messages = new Set(load(HEAD + text).diagnostics.map(({ message }) => message));
      assert.match([...messages].join('; '), expected);
    });
  }
});
