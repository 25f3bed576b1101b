/** Tests that other kernels take the programs of the network, and refuse what is blocked. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BarrierRun } from '../lib/barrier-in-guest.ts';
import { findKernels } from '../lib/find-kernels.ts';
import { runScript } from '../lib/run-kernel.ts';
import { writeTree } from '../lib/tree.ts';

const TIMEOUT_MS = 1_200_000;
const kernels = await findKernels();
test('there are kernels', { skip: typeof kernels === 'string' ? kernels : false }, () => assert.ok(kernels.length > 0));

for (const kernel of typeof kernels === 'string' ? [] : kernels)
  describe(`the network of ${kernel.series}`, () => {
    test('is blocked and isolated, and free again', async () => {
      const script = 'test/kernels/lib/barrier-in-guest.ts';
      const write = (directory: string): Promise<void> => writeTree(directory, kernel);
      const { lines } = await runScript({ kernel, write, script, args: [], timeoutMs: TIMEOUT_MS });
      const { blocked, holds, isAttached, counts } = lines[0] as BarrierRun;
      assert.deepEqual([holds, isAttached], [true, true]);
      assert.equal(blocked[1], 'EPERM');
      assert.notEqual(blocked[0], 'EPERM');
      assert.equal(blocked[2], blocked[0]);
      assert.equal(counts['blockedConnects'], 1);
    });
  });
