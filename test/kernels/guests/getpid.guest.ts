/** What a system call costs that nobody watches, counted in instructions by the emulator: a machine without a clock of its own can tell that. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findKernels } from '../lib/find-kernels.ts';
import type { GetpidCost } from '../lib/getpid-in-guest.ts';
import { runScript } from '../lib/run-kernel.ts';
import { writeTree } from '../lib/tree.ts';

const TIMEOUT_MS = 1_200_000;
const MOST = 1.02;
const kernels = await findKernels();
test('there are kernels', { skip: typeof kernels === 'string' ? kernels : false }, () => assert.ok(kernels.length > 0));

for (const kernel of typeof kernels === 'string' ? [] : kernels)
  describe(`${kernel.series}, the full profile`, () => {
    test('a getpid takes as many instructions as without a sensor; at tracepoints it would not', async (t) => {
      const { lines } = await runScript({
        kernel,
        write: (directory) => writeTree(directory, kernel),
        script: 'test/kernels/lib/getpid-in-guest.ts',
        args: [],
        timeoutMs: TIMEOUT_MS,
        countInstructions: true,
      });
      const { bare, functions, tracepoints } = lines[0] as GetpidCost;
      const told = `${bare.toFixed(0)} instructions, ×${(functions / bare).toFixed(3)} by functions, ×${(tracepoints / bare).toFixed(3)} at tracepoints`;
      t.diagnostic(told);
      assert.ok(functions <= MOST * bare, told);
      assert.ok(tracepoints > MOST * bare, told);
    });
  });
