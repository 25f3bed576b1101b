import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { checkBorders } from '../../tools/boundaries/borders.ts';
import { checkCommentWidth } from '../../tools/boundaries/comments.ts';
import { checkCycles } from '../../tools/boundaries/cycles.ts';
import { checkReferences } from '../../tools/boundaries/references.ts';
import { scan } from '../../tools/boundaries/scan.ts';
import { type Problem, Tree } from '../../tools/boundaries/tree.ts';
import { checkTypeChecked } from '../../tools/boundaries/type-checked.ts';

type Files = Readonly<Record<string, string>>;

const manifest = (name: string, uses: readonly string[] = []): string =>
  JSON.stringify({
    name: `@ringfence/${name}`,
    exports: { '.': './src/index.ts' },
    dependencies: Object.fromEntries(uses.map((used) => [used, '1'])),
  });

/** Two packages, where `upper` may use `lower`, and two services. */
const SOUND: Files = {
  'package.json': '{}',
  'tsconfig.json': JSON.stringify({ include: ['packages/*/src', 'services/*/src'] }),
  'packages/lower/package.json': manifest('lower'),
  'packages/lower/src/index.ts': "export { low } from './low.ts';\n",
  'packages/lower/src/low.ts': 'export const low = 1;\n',
  'packages/upper/package.json': manifest('upper', ['@ringfence/lower']),
  'packages/upper/src/index.ts': "import { low } from '@ringfence/lower';\nexport const up = low;\n",
  'services/first/package.json': manifest('first', ['@ringfence/second']),
  'services/first/src/index.ts': 'export const first = 1;\n',
  'services/second/package.json': manifest('second'),
  'services/second/src/index.ts': 'export const second = 2;\n',
};
const ARROWS = { lower: [], upper: ['lower'], first: ['second'], second: [] };

function treeOf(t: TestContext, changes: Files = {}): Tree {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-boundaries-'));
  t.after(() => rmSync(root, { recursive: true }));
  const files = { ...SOUND, ...changes };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return new Tree(root, Object.keys(files));
}

const shown = (problems: readonly Problem[]): string[] =>
  problems.map(({ file, line, text }) => `${file}:${line}: ${text}`);

test('a sound tree has no problems', (t) => {
  const tree = treeOf(t);
  const problems = [checkBorders(tree, ARROWS), checkCycles(tree), checkTypeChecked(tree), checkCommentWidth(tree)];
  assert.deepEqual([...problems.flat(), ...checkReferences(tree)], []);
});

describe('the borders of packages refuse', () => {
  const refuses = (title: string, changes: Files, expected: string): void => {
    test(title, (t) => assert.deepEqual(shown(checkBorders(treeOf(t, changes), ARROWS)), [expected]));
  };
  refuses(
    'an import that goes around the exports of a package',
    { 'packages/upper/src/index.ts': "import { low } from '../../lower/src/low.ts';\nexport const up = low;\n" },
    'packages/upper/src/index.ts:1: ../../lower/src/low.ts goes around the exports of lower: import @ringfence/lower',
  );
  refuses(
    'a subpath that is not exported',
    { 'packages/upper/src/index.ts': "export { low } from '@ringfence/lower/low';\n" },
    'packages/upper/src/index.ts:1: @ringfence/lower/low is not among the exports of lower',
  );
  refuses(
    'an import that leads out of all packages',
    {
      'tools/x.ts': 'export const x = 1;\n',
      'packages/upper/src/index.ts': "export { x } from '../../../tools/x.ts';\n",
    },
    'packages/upper/src/index.ts:1: ../../../tools/x.ts leaves the package upper: move what it needs into a package',
  );
  refuses(
    'a package that is not declared',
    { 'packages/upper/package.json': manifest('upper') },
    'packages/upper/src/index.ts:1: @ringfence/lower is not declared in packages/upper/package.json',
  );
  refuses(
    'an undeclared library, in a dynamic import too',
    { 'packages/lower/src/low.ts': "export const low = import('left-pad');\n" },
    'packages/lower/src/low.ts:1: left-pad is not declared in packages/lower/package.json',
  );
  refuses(
    'a service that imports a service, even a declared one',
    { 'services/first/src/index.ts': "export { second } from '@ringfence/second';\n" },
    'services/first/src/index.ts:1: the service first imports the service second',
  );
  refuses(
    'an arrow that the table lacks',
    {
      'packages/lower/package.json': manifest('lower', ['@ringfence/upper']),
      'packages/lower/src/low.ts': "import type { up } from '@ringfence/upper';\nexport const low: typeof up = 1;\n",
    },
    'packages/lower/src/low.ts:1: lower may not use upper: tools/boundaries/arrows.ts has no such arrow',
  );
});

test('a circle of imports is found, including type imports and packages', (t) => {
  const within = treeOf(t, {
    'packages/lower/src/low.ts': "import type { Other } from './other.ts';\nexport const low: Other = 1;\n",
    'packages/lower/src/other.ts': "import { low } from './low.ts';\nexport type Other = typeof low;\n",
  });
  assert.deepEqual(shown(checkCycles(within)), [
    'packages/lower/src/low.ts:0: imports go in a circle with packages/lower/src/other.ts',
  ]);
  const across = treeOf(t, { 'packages/lower/src/low.ts': "export { up as low } from '@ringfence/upper';\n" });
  assert.equal(checkCycles(across).length, 1);
});

test('a TypeScript file that no tsconfig includes is found', (t) => {
  const tree = treeOf(t, { 'packages/lower/bench/low.ts': 'export {};\n' });
  assert.deepEqual(shown(checkTypeChecked(tree)), [
    'packages/lower/bench/low.ts:0: no tsconfig includes this file: it is never type-checked',
  ]);
});

test('a comment of more than 120 columns is found; wide code and strings are ignored', (t) => {
  const wide = 'x'.repeat(130);
  const tree = treeOf(t, {
    'packages/lower/src/low.ts': `// ${wide}\nexport const low = '// ${wide}';\n/*\n * ${wide}\n */\n`,
  });
  assert.deepEqual(shown(checkCommentWidth(tree)), [
    'packages/lower/src/low.ts:1: a comment of 133 columns; 120 at most',
    'packages/lower/src/low.ts:4: a comment of 133 columns; 120 at most',
  ]);
});

describe('a reference is refused', () => {
  const refused = (t: TestContext, changes: Files): string[] => shown(checkReferences(treeOf(t, changes)));

  test('to a file that does not exist, from a comment and from a document', (t) => {
    assert.deepEqual(
      refused(t, {
        'packages/lower/src/low.ts': '// See packages/lower/src/gone.ts.\nexport const low = 1;\n',
        'docs/A.md': 'See `packages/lower/src/low.ts`, [this](B.md) and docs/C.md.\n',
      }),
      [
        'packages/lower/src/low.ts:1: packages/lower/src/gone.ts does not exist',
        'docs/A.md:1: docs/C.md does not exist',
        'docs/A.md:1: docs/B.md does not exist',
      ],
    );
  });

  test('to a section that does not exist', (t) => {
    assert.deepEqual(
      refused(t, {
        'docs/A.md': '# A title, `with` code\n',
        'docs/B.md': 'docs/A.md#a-title-with-code, [x](A.md#gone)\n',
      }),
      ['docs/B.md:1: docs/A.md has no section #gone'],
    );
  });

  test('to a setting that does not exist', (t) => {
    assert.deepEqual(
      refused(t, {
        'docs/CONFIGURATION.md': '| `bus.maxBytes` | 1 |\n',
        'packages/lower/src/low.ts': '// `bus.maxBytes` is a setting, `bus.minBytes` is none.\nexport const low = 1;\n',
      }),
      ['packages/lower/src/low.ts:1: there is no setting bus.minBytes'],
    );
  });
});

test('comments are distinguished from strings, templates and regular expressions', () => {
  const template = '`/* no */ $' + '{f(`// no`)}`';
  const source = `const a = '// no'; // yes\nconst b = ${template};\nconst c = /\\/\\/[/*]/; /* yes */ x / 2;\n`;
  const { comments, code } = scan(source);
  assert.deepEqual(
    comments.map(({ line, text }) => `${line} ${text}`),
    ['1 // yes', '3 /* yes */'],
  );
  assert.ok(code.includes("'// no'") && !code.includes('yes') && code.includes('x / 2'));
});
