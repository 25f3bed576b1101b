/** A kernel that has the system calls of x32: what is seen of them, and what is not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findKernels } from '../lib/find-kernels.ts';
import { runOnKernel } from '../lib/run-kernel.ts';
import { testFiles } from '../lib/tree.ts';

const TIMEOUT_MS = 1_200_000;
const kernels = await findKernels();
test('there are kernels', { skip: typeof kernels === 'string' ? kernels : false }, () => assert.ok(kernels.length > 0));

for (const kernel of typeof kernels === 'string' ? [] : kernels)
  describe(`${kernel.series} with syscall.x32=y`, () => {
    test('the tests of 32-bit calls pass, and none is skipped for want of x32', async () => {
      const files = testFiles(['sensor/compat']);
      const run = { kernel, files, filesOnly: true, timeoutMs: TIMEOUT_MS, kernelArguments: 'syscall.x32=y' };
      const [report] = (await runOnKernel(run)).files;
      assert.deepEqual(report?.failures, []);
      assert.deepEqual(
        report.skipped.filter(({ reason }) => /x32/.test(reason)),
        [],
      );
      assert.ok(report.passed > 0);
    });
  });
