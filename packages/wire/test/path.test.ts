import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isNormalPath, normalPath } from '../src/values/path.ts';

/** Normalizes component by component. */
function normalized(path: string): string {
  const absolute = path.startsWith('/');
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!absolute) kept.push('..');
  }
  return (absolute ? '/' : '') + kept.join('/') || '.';
}

const part = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '.', '..', '...', '.a', 'a.', 'a', '..b') },
  fc.string({ maxLength: 4 }).map((text) => text.replaceAll('/', '')),
);
const anyPath = fc
  .tuple(fc.boolean(), fc.array(part, { maxLength: 8 }))
  .map(([absolute, parts]) => (absolute ? '/' : '') + parts.join('/'))
  .filter((path) => path !== '');

describe('a normal path', () => {
  test('is the result of walking its components', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        assert.equal(normalPath(path), normalized(path));
      }),
      { numRuns: 2000 },
    );
  });

  test('stays the same when it is normalized again, and resolves to the same path in Node', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const normal = normalPath(path);
        assert.equal(normalPath(normal), normal);
        assert.equal(posix.resolve('/base', normal), posix.resolve('/base', path));
        if (path.startsWith('/')) assert.ok(!/\/(\.{0,2})(\/|$)/.test(normal.slice(0, normal === '/' ? 0 : undefined)));
      }),
      { numRuns: 2000 },
    );
  });

  test('is recognized in bytes', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const bytes = Buffer.from(`./${path}./`);
        const isNormal = isNormalPath({ bytes, start: 2, end: bytes.length - 2 });
        if (isNormal) assert.equal(normalPath(path), path);
        else assert.ok(!path.startsWith('/') || /\/[./]|\/$/.test(path));
      }),
      { numRuns: 2000 },
    );
  });

  test('may be empty', () => assert.equal(normalPath(''), ''));
});
