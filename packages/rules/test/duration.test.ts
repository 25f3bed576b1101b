import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationText } from '@ringfence/base';

test('a duration is shown in the unit that people would use', () => {
  const table: readonly (readonly [micros: number, text: string])[] = [
    [0, '0 s'],
    [-1500, '-1.5 ms'],
    [0.35, '350 ns'],
    [12, '12 µs'],
    [999.7, '1 ms'],
    [12_464, '12 ms'],
    [1_300_000, '1.3 s'],
    [3_000_000, '3 s'],
    [9_960_000, '10 s'],
    [119_000_000, '119 s'],
    [120_000_000, '2 min'],
    [7_200_000_000, '2 h'],
    [90 * 3_600_000_000, '3.8 d'],
    [Number.POSITIVE_INFINITY, 'for ever'],
  ];
  for (const [micros, text] of table) assert.equal(durationText(micros), text);
});
