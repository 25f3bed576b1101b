import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile, spreadOf } from '../lib/figures.ts';
import { parseOptions, SECTIONS } from '../lib/options.ts';

test('all sections run by default, otherwise the named sections', () => {
  assert.deepEqual(parseOptions([])?.sections, SECTIONS);
  assert.deepEqual(parseOptions(['replay', 'rules', '--seconds', '3'])?.sections, ['replay', 'rules']);
});

test('loads of the section sensor are selected by texts in their names', () => {
  assert.deepEqual(parseOptions([])?.loads, []);
  assert.deepEqual(parseOptions(['sensor', '--load', 'make', '--load', 'redis'])?.loads, ['make', 'redis']);
});

test('an unknown section, an unknown flag and an invalid number are refused with the usage or the expected range', () => {
  assert.throws(() => parseOptions(['speed']), /there is no section speed[\s\S]*Usage/);
  assert.throws(() => parseOptions(['--fast']), /--fast[\s\S]*Usage/);
  assert.throws(() => parseOptions(['--seconds', '0']), { code: 'ERR_BENCH_USAGE', message: /from 1 to 3600/ });
});

test('--help returns no options', () => {
  assert.equal(parseOptions(['--help']), null);
});

test('percentiles are measured numbers, not interpolations', () => {
  const numbers = Array.from({ length: 200 }, (_, i) => 200 - i);
  assert.deepEqual(
    [50, 99, 100].map((share) => percentile(numbers, share)),
    [100, 198, 200],
  );
  assert.deepEqual(spreadOf([3, 1, 2]), { min: 1, median: 2, max: 3 });
  assert.ok(Number.isNaN(percentile([], 50)));
});
