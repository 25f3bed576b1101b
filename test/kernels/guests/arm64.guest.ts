/** Tests the sensor for arm64 on emulated machines. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { ArchitectureReport } from '../lib/architecture-in-guest.ts';
import { findKernels } from '../lib/find-kernels.ts';
import { runScript } from '../lib/run-kernel.ts';
import { columnTitle, readTable, verdictFailures } from '../lib/table.ts';
import { writeForeignTree } from '../lib/tree.ts';

const TIMEOUT_MS = 1_200_000;
const kernels = await findKernels(undefined, 'arm64');
test('there are kernels', { skip: typeof kernels === 'string' ? kernels : false }, () => assert.ok(kernels.length > 0));

for (const kernel of typeof kernels === 'string' ? [] : kernels)
  describe(`${kernel.series} on arm64`, () => {
    let report: ArchitectureReport;
    before(async () => {
      const write = (directory: string): Promise<void> => writeForeignTree(directory, 'arm64');
      const script = 'test/kernels/lib/architecture-in-guest.ts';
      const { lines } = await runScript({ kernel, write, script, args: [], timeoutMs: TIMEOUT_MS });
      report = lines[0] as ArchitectureReport;
    });

    test('the verifier accepts every program, far below its limit, and every program attaches unless the document lists it', () => {
      assert.equal(report.architecture, 'arm64');
      assert.deepEqual(verdictFailures(columnTitle(kernel), report.programs, readTable()), []);
      assert.ok(report.programs.filter(({ unattached, full }) => unattached === undefined && !full).length > 100);
    });

    test('an exec is reported with its arguments', () => {
      const { path, argv } = report.exec;
      assert.deepEqual([path, argv], ['/usr/bin/busybox', 'mkdir\0link/made']);
    });

    test('a change of the personality is reported, although arm64 has its own system call for it', () =>
      assert.deepEqual(report.personality, { persona: '8', result: 0 }));

    test('the full profile reports which directory was created', () => {
      // Trampolines on arm64 exist since Linux 6.4.
      if (kernel.series === '6.1') assert.deepEqual(report.ways, ['kprobe']);
      assert.ok(report.ways.length > 0);
      assert.deepEqual(report.change, { path: join(report.directory, 'real/made'), sourceCaller: 0 });
    });
  });
