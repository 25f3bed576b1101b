/**
 * Measures the cost of an unwatched system call in instructions, which the emulator counts, so that the result does not
 * depend on the machine's speed.
 */
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
    test('a getpid takes as many instructions as without a sensor; with tracepoints it takes more', async (t) => {
      const { lines } = await runScript({
        kernel,
        write: (directory) => writeTree(directory, kernel),
        script: 'test/kernels/lib/getpid-in-guest.ts',
        args: [],
        timeoutMs: TIMEOUT_MS,
        countInstructions: true,
      });
      const { bare, functions, tracepoints } = lines[0] as GetpidCost;
      const summary = `${bare.toFixed(0)} instructions, ×${(functions / bare).toFixed(3)} with functions, ×${(tracepoints / bare).toFixed(3)} with tracepoints`;
      t.diagnostic(summary);
      assert.ok(functions <= MOST * bare, summary);
      assert.ok(tracepoints > MOST * bare, summary);
    });
  });
