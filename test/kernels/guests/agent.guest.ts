/**
 * Runs the agent on kernels with the full profile: it attaches its hooks, resumes the sensor of a killed agent, and
 * leaves nothing behind when it is stopped.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GuestAgent } from '../lib/agent-in-guest.ts';
import { findKernels } from '../lib/find-kernels.ts';
import { runScript } from '../lib/run-kernel.ts';
import { writeProgram } from '../lib/tree.ts';

const TIMEOUT_MS = 1_200_000;
const kernels = await findKernels();
test('there are kernels', { skip: typeof kernels === 'string' ? kernels : false }, () => assert.ok(kernels.length > 0));

for (const kernel of typeof kernels === 'string' ? [] : kernels)
  describe(`an agent on ${kernel.series}`, () => {
    test("traces system calls at the kernel's functions, resumes after a kill, and leaves nothing behind", async (t) => {
      const run = { kernel, write: writeProgram, args: [], timeoutMs: TIMEOUT_MS };
      const { lines } = await runScript({ ...run, script: 'test/kernels/lib/agent-in-guest.ts' });
      const { lives, missing, left, ...took } = lines[0] as GuestAgent;
      t.diagnostic(JSON.stringify({ lives, missing, took }));
      const [first, second] = lives;
      assert.equal(first?.onTracepoints, undefined);
      assert.ok(first !== undefined && first.full.length > 0);
      assert.deepEqual([second?.resumed, second?.hooks], [true, first.hooks]);
      // Hooks that are newer than this kernel.
      for (const { reason } of missing) assert.match(reason, /can't be attached/);
      assert.deepEqual(left, []);
    });
  });
