import { readdirSync, readFileSync } from 'node:fs';
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
  /** path of the compiled sensor */
  readonly sensorObject: string;
  /** directory in which an agent's links and programs are pinned */
  readonly pinPath: string;
  /** root of the host's file system. @default / */
  readonly root?: string;
  readonly bootId: string;
  /** names of known BPF programs; `sd_*` matches all names with this prefix */
  readonly knownPrograms: readonly string[];
  /** state that the last run returned; undefined for the first run */
  readonly before?: Remembered | undefined;
}

export interface Integrity {
  readonly checks: readonly CheckResult[];
  readonly remembered: Remembered;
}

/** Checks that need the sensor's programs. */
const KERNEL_CHECKS: readonly CheckName[] = ['syscall-dispatch', 'interrupt-table', 'hidden-process', 'bpf-program'];

/** Makes all checks once. Takes some tenths of a second, and changes nothing. */
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
    const ids = new Set([...memory.programs, ...agentPrograms(pinPath)]);
    const checked = [
      calls.checked,
      checkInterrupts({ memory, symbols, before: code }),
      checkProcesses(() => memory.tgids(), root),
      checkPrograms({ ids, names: knownPrograms }, root),
    ];
    return { checked, code: calls.code };
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    const reason = `the sensor's programs can't be loaded: ${error.message.split('\n')[0]}`;
    return { checked: KERNEL_CHECKS.map((name) => result(name, [], reason)), code: code ?? {} };
  }
}

/** Returns the ids of an agent's programs: those of the sensor, and those of the network in a directory of its own. */
function agentPrograms(pinPath: string): number[] {
  if (!isPinned(pinPath)) return [];
  const directories = readdirSync(pinPath, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [pinPath, ...directories.map(({ name }) => join(pinPath, name))].flatMap(programsIn);
}

/** Returns the ids of the programs behind pinned links, and of pinned programs without a link. */
function programsIn(pinPath: string): number[] {
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

/** Returns the mount points of cgroup v1. Only these have a release agent. */
function cgroupHierarchies(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'latin1').split('\n');
  return mounts.map((line) => line.split(' ')).flatMap(([, point = '', type]) => (type === 'cgroup' ? [point] : []));
}
