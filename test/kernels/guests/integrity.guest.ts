/**
 * Tests that `ringfence integrity` finds a rootkit. Uses our own module, which manipulates the kernel like rootkits do.
 */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { TestServerError } from '@ringfence/dev-servers/in-process';
import type { CheckName, Finding } from '@ringfence/host-kit';
import { buildModule, moduleMissing, type TestKernel } from '@ringfence/testkit/kernels';
import { findKernels } from '../lib/find-kernels.ts';
import type { IntegrityRun } from '../lib/integrity-in-guest.ts';
import { runScript } from '../lib/run-kernel.ts';
import { MODULE, writeTree } from '../lib/tree.ts';

const TIMEOUT_MS = 1_200_000;
const NAME = 'rf_rootkit';
const VICTIM = '__x64_sys_acct';
const IN_MODULE = /\(module rf_rootkit\)/;
const ACTIONS = ['table', 'entry', 'dispatcher', 'interrupt', 'ftrace', 'kprobe', 'hide'];
const kernels = await findKernels();

/** Builds the module. Returns why that is not possible. */
async function moduleFor(kernel: TestKernel): Promise<{ file: string } | string> {
  const missing = moduleMissing();
  if (missing !== undefined) return missing;
  try {
    return { file: await buildModule(kernel, join(import.meta.dirname, '../module')) };
  } catch (error) {
    if (error instanceof TestServerError && error.code === 'ERR_TESTKIT_KERNEL') return error.message;
    throw error;
  }
}

async function looksOf(kernel: TestKernel, file: string): Promise<IntegrityRun[]> {
  const write = async (directory: string): Promise<void> => {
    await writeTree(directory, kernel);
    copyFileSync(file, join(directory, MODULE));
  };
  const script = 'test/kernels/lib/integrity-in-guest.ts';
  const { lines } = await runScript({ kernel, write, script, args: [MODULE, ...ACTIONS], timeoutMs: TIMEOUT_MS });
  return lines as IntegrityRun[];
}

test('there are kernels', { skip: typeof kernels === 'string' ? kernels : false }, () => assert.ok(kernels.length > 0));

for (const kernel of typeof kernels === 'string' ? [] : kernels) {
  const module = await moduleFor(kernel);
  describe(`the integrity of ${kernel.series}`, { skip: typeof module === 'string' ? module : false }, () => {
    let looks: IntegrityRun[];
    before(async () => {
      if (typeof module !== 'string') looks = await looksOf(kernel, module.file);
    });

    function foundBy(when: string): Finding[] {
      const look = looks.find((look) => look.when === when);
      assert.ok(look, when);
      for (const { check, unseen } of look.checks) assert.equal(unseen, '', check);
      return look.checks.flatMap(({ findings }) => findings);
    }

    /** Ignores the taints, which stay for good. */
    function assertFinds(action: string, expected: readonly (readonly [CheckName, subject: string, RegExp])[]): void {
      const found = foundBy(action).filter(({ check }) => check !== 'taint');
      assert.deepEqual(
        found.map(({ check, subject }) => [check, subject]),
        expected.map(([check, subject]) => [check, subject]),
      );
      for (const [index, [, , detail]] of expected.entries()) assert.match(found[index]?.detail ?? '', detail);
    }

    test('nothing is found before the module is loaded', () => assert.deepEqual(foundBy('before'), []));

    test('an unsigned out-of-tree module taints the kernel for good, and leaves nothing else behind', () => {
      for (const when of ['loaded', ...ACTIONS, 'after'])
        assert.deepEqual(
          foundBy(when).flatMap(({ check, subject }) => (check === 'taint' ? [subject] : [])),
          ['bit 12', 'bit 13'],
        );
      for (const when of ['loaded', 'after']) assertFinds(when, []);
    });

    test('an entry of the system call table that leads into the module', () =>
      assertFinds('table', [['syscall-dispatch', 'system call 163', IN_MODULE]]));

    test('a system call that begins with a jump into the module', () =>
      assertFinds('entry', [['syscall-dispatch', VICTIM, IN_MODULE]]));

    test('a dispatcher of system calls whose code was changed', () =>
      assertFinds('dispatcher', [['syscall-dispatch', 'x64_sys_call', /its code has changed/]]));

    test('a gate of the interrupt table that leads into the module', () =>
      assertFinds('interrupt', [['interrupt-table', 'interrupt 4', IN_MODULE]]));

    test('an ftrace hook on a system call', () =>
      assertFinds('ftrace', [
        ['syscall-dispatch', VICTIM, /its first instruction goes to/],
        ['function-hooks', VICTIM, /^ftrace: .*\[rf_rootkit\]/],
      ]));

    test('a kprobe on a system call', () =>
      assertFinds('kprobe', [
        ['syscall-dispatch', VICTIM, /its first instruction goes to/],
        ['function-hooks', VICTIM, /^ftrace: .*kprobe_ftrace_handler/],
        ['function-hooks', VICTIM, /^a kprobe: /],
      ]));

    test('a module that removed itself from the list', () =>
      assertFinds('hide', [['hidden-module', NAME, /in \/sys\/module, but it is not in/]]));

    test('a module that is neither in the list nor in sysfs', () =>
      assertFinds('vanished', [['hidden-module', NAME, /functions can be traced, but it is not in/]]));
  });
}
