/**
 * A kernel whose list of security modules lacks bpf, so that LSM hooks don't work. The full profile must use fentry
 * there, or kprobes where it has to.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { findKernels } from '../lib/find-kernels.ts';
import { type MethodsReport, runByAttachMethods } from '../lib/run-kernel.ts';
import { testFiles } from '../lib/tree.ts';

/** Debian's list without bpf. */
const LSM_LIST = 'lsm=landlock,lockdown,yama,loadpin,safesetid,integrity,apparmor,selinux,smack,tomoyo';
const TIMEOUT_MS = 1_200_000;
const METHODS = ['fentry', 'kprobe'];

const kernels = await findKernels();
test('there are kernels', { skip: typeof kernels === 'string' ? kernels : false }, () => assert.ok(kernels.length > 0));

for (const kernel of typeof kernels === 'string' ? [] : kernels)
  describe(`${kernel.series} without bpf in lsm=`, () => {
    let result: MethodsReport;
    before(async () => {
      const files = testFiles(['sensor/full']);
      const run = { kernel, files, methods: METHODS, kernelArguments: LSM_LIST, timeoutMs: TIMEOUT_MS };
      result = await runByAttachMethods(run);
    });

    test('detects that LSM hooks attach but are never called', () => {
      assert.deepEqual(result.problems, { lsm: 'it attaches but is never called' });
    });

    test('every hook of the kernel uses fentry, or fexit for the end of a function', () => {
      assert.deepEqual(
        result.sections.filter((section) => !/^(fentry|fexit)\//.test(section)),
        [],
      );
      assert.ok(result.sections.length > 0);
    });

    for (const method of METHODS)
      test(`by ${method} every event of the full profile is the same`, () => {
        const reports = result.files.filter((file) => file.method === method).map(({ report }) => report);
        assert.equal(reports.length, 1);
        for (const { failures, skipped, passed } of reports) {
          assert.deepEqual({ failures, skipped }, { failures: [], skipped: [] });
          assert.ok(passed > 0);
        }
      });
  });
