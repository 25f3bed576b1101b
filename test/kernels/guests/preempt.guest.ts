/** Runs tests on a kernel that can preempt the sensor's programs: counts, order and per-CPU data must stay correct. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { findKernels } from '../lib/find-kernels.ts';
import { type KernelReport, runOnKernel } from '../lib/run-kernel.ts';
import { testFiles } from '../lib/tree.ts';

const TIMEOUT_MS = 1_800_000;
const FILES = ['ring', 'account', 'share', 'process', 'bad-input', 'full'].map((name) => `sensor/${name}.test`);
const kernels = await findKernels();
test('there are kernels', { skip: typeof kernels === 'string' ? kernels : false }, () => assert.ok(kernels.length > 0));

for (const kernel of typeof kernels === 'string' ? [] : kernels)
  describe(`${kernel.series} with preempt=full`, () => {
    let report: KernelReport;
    before(async () => {
      const run = { kernel, files: testFiles(FILES), filesOnly: true, timeoutMs: TIMEOUT_MS };
      report = await runOnKernel({ ...run, kernelArguments: 'preempt=full' });
    });

    test('the kernel is preemptible', () => assert.equal(report.preemption, 'full'));

    for (const name of FILES)
      test(`${name}: sequence numbers, losses, merges and the account are correct`, () => {
        const found = report.files.find(({ path }) => path.includes(name));
        assert.deepEqual(found?.failures, []);
        assert.ok(found.passed > 0);
      });
  });
