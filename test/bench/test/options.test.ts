import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile, spreadOf } from '../lib/figures.ts';
import { parseOptions, SECTIONS } from '../lib/options.ts';

test('all sections run when none is named, else those that are', () => {
  assert.deepEqual(parseOptions([])?.sections, SECTIONS);
  assert.deepEqual(parseOptions(['replay', 'rules', '--seconds', '3'])?.sections, ['replay', 'rules']);
});

test('loads of the sensor are chosen by texts in their names', () => {
  assert.deepEqual(parseOptions([])?.loads, []);
  assert.deepEqual(parseOptions(['sensor', '--load', 'make', '--load', 'redis'])?.loads, ['make', 'redis']);
});

test('an unknown section, an unknown flag and a nonsense number are refused with the usage or what was expected', () => {
  assert.throws(() => parseOptions(['speed']), /there is no section speed[\s\S]*Usage/);
  assert.throws(() => parseOptions(['--fast']), /--fast[\s\S]*Usage/);
  assert.throws(() => parseOptions(['--seconds', '0']), { code: 'ERR_BENCH_USAGE', message: /from 1 to 3600/ });
});

test('--help asks for the usage only', () => {
  assert.equal(parseOptions(['--help']), null);
});

test('percentiles are numbers that were measured', () => {
  const numbers = Array.from({ length: 200 }, (_, i) => 200 - i);
  assert.deepEqual(
    [50, 99, 100].map((share) => percentile(numbers, share)),
    [100, 198, 200],
  );
  assert.deepEqual(spreadOf([3, 1, 2]), { min: 1, median: 2, max: 3 });
  assert.ok(Number.isNaN(percentile([], 50)));
});
