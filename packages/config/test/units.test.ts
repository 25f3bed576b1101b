import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDuration, formatSize, parseDuration, parseSize } from '../src/units.ts';

describe('durations and sizes', () => {
  const cases: { text: string; parse: typeof parseSize; expected: number | 'refused' }[] = [
    { text: '10s', parse: parseDuration, expected: 10_000 },
    { text: '500ms', parse: parseDuration, expected: 500 },
    { text: '1.5 h', parse: parseDuration, expected: 5_400_000 },
    { text: '0s', parse: parseDuration, expected: 0 },
    { text: '64MiB', parse: parseSize, expected: 67_108_864 },
    { text: '0.5KiB', parse: parseSize, expected: 512 },
    { text: '-1s', parse: parseDuration, expected: 'refused' },
    { text: '10', parse: parseDuration, expected: 'refused' },
    { text: '1e3s', parse: parseDuration, expected: 'refused' },
    { text: '10 seconds', parse: parseDuration, expected: 'refused' },
    { text: '64MB', parse: parseSize, expected: 'refused' },
    { text: '', parse: parseSize, expected: 'refused' },
    { text: 'forever', parse: parseDuration, expected: 'refused' },
    { text: `${'9'.repeat(400)}s`, parse: parseDuration, expected: 'refused' },
  ];
  for (const { text, parse, expected } of cases) {
    it(`${parse === parseSize ? 'size' : 'duration'} \`${text.slice(0, 20)}\` is ${expected}`, () => {
      const parsed = parse(text);
      assert.equal('value' in parsed ? parsed.value : 'refused', expected);
    });
  }

  it('have a word for "no limit" where it is allowed', () => {
    assert.deepEqual(parseDuration('forever', true), { value: Number.POSITIVE_INFINITY });
    assert.deepEqual(parseSize('unlimited', true), { value: Number.POSITIVE_INFINITY });
  });

  it('are parsed to the same value that was formatted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 45 }), (value) => {
        assert.deepEqual(parseDuration(formatDuration(value)), { value });
        assert.deepEqual(parseSize(formatSize(value)), { value });
      }),
    );
  });
});
