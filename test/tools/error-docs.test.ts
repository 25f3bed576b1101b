import assert from 'node:assert/strict';
import { test } from 'node:test';
import { declaredCodes, errorDocs } from '../../tools/error-docs.ts';

const GOOD = `export type ShopErrorCode =
  /** The shop is closed. Come back in the morning. */
  | 'ERR_SHOP_CLOSED'
  /**
   * The shop sold what was asked for, e.g. the last loaf.
   * Ask for something else. It is no bug.
   */
  | 'ERR_SHOP_SOLD';
`;

const codesOf = (...texts: string[]) =>
  declaredCodes(texts.map((text, i) => ({ path: `packages/p${i}/src/errors.ts`, text })));

test('a comment above a code gives its meaning and what to do', () => {
  const [closed, sold] = codesOf(GOOD, `// ERR_SHOP_IN_A_COMMENT\nthrow new ShopError('ERR_SHOP_SOLD', 'bread');`);
  assert.deepEqual(
    [closed?.code, closed?.meaning, closed?.advice],
    ['ERR_SHOP_CLOSED', 'The shop is closed.', 'Come back in the morning.'],
  );
  assert.equal(sold?.advice, 'Ask for something else. It is no bug.');
});

test('a list of codes is a declaration, and codes of test helpers are not listed', () => {
  const list = `const shopErrorCodes = [\n  /** It rains. Wait. */\n  'ERR_SHOP_RAIN',\n] as const; throw fail('ERR_TESTKIT_START');`;
  assert.deepEqual(
    codesOf(list).map(({ code }) => code),
    ['ERR_SHOP_RAIN'],
  );
});

for (const [title, texts, problem] of [
  ['without a comment', [`type ShopErrorCode = 'ERR_SHOP_CLOSED';`], /ERR_SHOP_CLOSED has no comment/],
  [
    'whose comment does not say what to do',
    [`type ShopErrorCode =\n  /** Closed. */\n  | 'ERR_SHOP_CLOSED';`],
    /no second sentence/,
  ],
  [
    'that is used and not declared',
    [GOOD, `throw new ShopError('ERR_SHOP_BURNT')`],
    /packages\/p1\/src\/errors\.ts: ERR_SHOP_BURNT is not declared/,
  ],
  [
    'that is a key and not declared',
    [GOOD, 'const STATUS = { ERR_SHOP_BURNT: 500 };'],
    /ERR_SHOP_BURNT is not declared/,
  ],
  ['that is declared twice', [GOOD, GOOD], /ERR_SHOP_CLOSED is declared twice/],
] as const) {
  test(`a code ${title} is refused`, () => {
    assert.throws(() => codesOf(...texts), problem);
  });
}

test('the repository declares its codes, and the document lists each code once', () => {
  const listed = [...errorDocs().matchAll(/^\| `(ERR_\w+)` \|/gm)].map(([, code]) => code);
  assert.ok(listed.length > 50);
  assert.equal(new Set(listed).size, listed.length);
});
