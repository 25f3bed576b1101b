import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckName } from '@ringfence/host-kit';
import { BpfError, BpfLink, PinnedProgram } from '@ringfence/libbpf-ts';
import { isPinned, pinnedLinks, pinnedPrograms } from '@ringfence/sensor';
import { type CheckResult, type Remembered, result } from './check.ts';
import { checkFunctionHooks } from './hooks.ts';
import { checkInterrupts, checkSystemCalls } from './kernel-code.ts';
import { KernelView } from './kernel-view.ts';
import { checkModules } from './modules.ts';
import { checkProcesses } from './processes.ts';
import { checkPrograms } from './programs.ts';
import { Symbols } from './symbols.ts';
import { checkHelpers, checkPreload, checkReleaseAgents, checkTaint } from './values.ts';

export interface IntegrityOptions {
  /** the compiled sensor */
  readonly sensorObject: string;
  /** where the agent's own links are pinned */
  readonly pinPath: string;
  /** where the host's file system is. @default / */
  readonly root?: string;
  readonly bootId: string;
  /** names of BPF programs that are known; `sd_*` stands for all that begin like that */
  readonly knownPrograms: readonly string[];
  /** what the last look has told to remember; undefined: nobody has looked yet */
  readonly before?: Remembered | undefined;
}

export interface Integrity {
  readonly checks: readonly CheckResult[];
  readonly remembered: Remembered;
}

const IN_KERNEL: readonly CheckName[] = ['syscall-dispatch', 'interrupt-table', 'hidden-process', 'bpf-program'];

/** Looks at everything once. It takes some tenths of a second, and only reads. */
export function checkIntegrity(options: IntegrityOptions): Integrity {
  const { root = '/', bootId, before } = options;
  const symbols = Symbols.ofKernel();
  const { checked, code } = checkKernel(options, symbols);
  const helpers = checkHelpers(root, before?.values);
  const checks = [
    ...checked,
    checkFunctionHooks(root),
    checkModules(symbols, root),
    checkTaint(root),
    checkPreload(root),
    ...helpers.checked,
    checkReleaseAgents(cgroupHierarchies()),
  ];
  return { checks, remembered: { bootId, code, values: helpers.values } };
}

function checkKernel(
  { sensorObject, pinPath, root = '/', bootId, knownPrograms, before }: IntegrityOptions,
  symbols: Symbols,
) {
  const code = before?.bootId === bootId ? before.code : undefined;
  try {
    using memory = new KernelView(sensorObject);
    const calls = checkSystemCalls({ memory, symbols, before: code });
    const ids = new Set([...memory.programs, ...ownPrograms(pinPath)]);
    const checked = [
      calls.checked,
      checkInterrupts({ memory, symbols, before: code }),
      checkProcesses(() => memory.tgids(), root),
      checkPrograms({ ids, names: knownPrograms }, root),
    ];
    return { checked, code: calls.code };
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    const why = `the sensor's programs can't be loaded: ${error.message.split('\n')[0]}`;
    return { checked: IN_KERNEL.map((name) => result(name, [], why)), code: code ?? {} };
  }
}

/** Ids of the programs behind an agent's pinned links, and of those that it has pinned because none holds them. */
function ownPrograms(pinPath: string): number[] {
  if (!isPinned(pinPath)) return [];
  const attached = pinnedLinks(pinPath).map((name) => {
    using link = BpfLink.openPinned(join(pinPath, name));
    return link.programId;
  });
  const idle = pinnedPrograms(pinPath).map((name) => {
    using program = PinnedProgram.open(join(pinPath, name));
    return program.id;
  });
  return [...attached, ...idle];
}

/** Mount points of cgroup v1: only those have a release agent. */
function cgroupHierarchies(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'latin1').split('\n');
  return mounts.map((line) => line.split(' ')).flatMap(([, point = '', type]) => (type === 'cgroup' ? [point] : []));
}
