import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isNormalPath, normalPath } from '../src/values/path.ts';

/** By hand, one component after the other. */
function walked(path: string): string {
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

describe('a path without what adds nothing to it', () => {
  test('is what remains when one walks it', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        assert.equal(normalPath(path), walked(path));
      }),
      { numRuns: 2000 },
    );
  });

  test('has nothing left to take out, and is the same as Node finds', () => {
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

  test('is known by its bytes, wherever they lie', () => {
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

  test('stays as it is when it is empty', () => assert.equal(normalPath(''), ''));
});
