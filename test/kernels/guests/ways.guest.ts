/** A kernel whose list of security modules lacks bpf: fentry carries the full profile there, and kprobes do where they have to. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { findKernels } from '../lib/find-kernels.ts';
import { runByWays, type WaysReport } from '../lib/run-kernel.ts';
import { testFiles } from '../lib/tree.ts';

/** as Debian has it, without bpf */
const LSM_LIST = 'lsm=landlock,lockdown,yama,loadpin,safesetid,integrity,apparmor,selinux,smack,tomoyo';
const TIMEOUT_MS = 1_200_000;
const WAYS = ['fentry', 'kprobe'];

const kernels = await findKernels();
test('there are kernels', { skip: typeof kernels === 'string' ? kernels : false }, () => assert.ok(kernels.length > 0));

for (const kernel of typeof kernels === 'string' ? [] : kernels)
  describe(`${kernel.series} without bpf in lsm=`, () => {
    let told: WaysReport;
    before(async () => {
      const files = testFiles(['sensor/full']);
      told = await runByWays({ kernel, files, ways: WAYS, kernelArguments: LSM_LIST, timeoutMs: TIMEOUT_MS });
    });

    test('hooks of LSM attach there and are never called, which is found out', () => {
      assert.deepEqual(told.closed, { lsm: 'it is attached, and never called' });
    });

    test('fentry is taken for every hook that the kernel has, and its like for the end of a function', () => {
      assert.deepEqual(
        told.sections.filter((section) => !/^(fentry|fexit)\//.test(section)),
        [],
      );
      assert.ok(told.sections.length > 0);
    });

    for (const way of WAYS)
      test(`by ${way} every event of the full profile is the same`, () => {
        const reports = told.files.filter((file) => file.way === way).map(({ report }) => report);
        assert.equal(reports.length, 1);
        for (const { failures, skipped, passed } of reports) {
          assert.deepEqual({ failures, skipped }, { failures: [], skipped: [] });
          assert.ok(passed > 0);
        }
      });
  });
