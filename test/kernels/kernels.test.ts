/**
 * The short form of `npm run test:kernels`: on the oldest kernel, the verdict on every program, and two test files:
 * processes, and the full profile, which the running kernel may lack.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { BpfObject } from '@ringfence/libbpf-ts';
import { sensorObject, skip as sensorSkip } from '@ringfence/testkit/sensor';
import { findKernel, OLDEST } from './lib/find-kernels.ts';
import { type KernelReport, runOnKernel } from './lib/run-kernel.ts';
import { NO_HOOK, readTable, verdictFailures } from './lib/table.ts';
import { testFiles } from './lib/tree.ts';

const TIMEOUT_MS = 580_000;
const FAMILIES = ['process.test', 'full.test'];
const kernel = sensorSkip === false ? await findKernel() : sensorSkip;

test('docs/KERNELS.md lists exactly the programs of the sensor', { skip: sensorSkip }, async () => {
  const table = readTable();
  using object = BpfObject.open(await sensorObject());
  const missing = [...object.programs.keys()].filter((name) => !table.has(name));
  const gone = [...table.keys()].filter((name) => !object.programs.has(name));
  assert.deepEqual({ missing, gone }, { missing: [], gone: [] }, 'run: npm run test:kernels -- --write');
});

describe('the sensor on the oldest kernel', { skip: typeof kernel === 'string' ? kernel : false }, () => {
  let report: KernelReport;
  before(async () => {
    if (typeof kernel === 'string') return;
    report = await runOnKernel({ kernel, files: testFiles(FAMILIES), timeoutMs: TIMEOUT_MS });
  });

  test('the verifier accepts every program, far below its limit, and every program attaches', () => {
    const table = readTable();
    assert.deepEqual(verdictFailures(OLDEST, report.programs, table), []);
    for (const { name, instructions, refused } of report.programs)
      assert.ok(
        instructions > 0 || refused !== undefined || table.get(name)?.[OLDEST] === NO_HOOK,
        `${name} was not verified`,
      );
  });

  test('the tests of two files pass without skips', () => {
    for (const { path, passed, failures, skipped } of report.files) {
      assert.deepEqual(failures, [], path);
      assert.deepEqual(skipped, [], path);
      assert.ok(passed > 0, path);
    }
  });
});
