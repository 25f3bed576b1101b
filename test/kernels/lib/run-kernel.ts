/** Runs the sensor's tests on another kernel. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInGuest, type TestKernel } from '@ringfence/testkit/kernels';
import type { FileReport } from '../../../tools/test-runner/file-report.ts';
import type { AttachMethodReport, GuestLine, Profile } from './in-guest.ts';
import type { ProgramVerdict } from './programs.ts';
import { nodeCommand, writeForeignTree, writeTree } from './tree.ts';

export interface KernelReport {
  readonly programs: readonly ProgramVerdict[];
  readonly files: readonly FileReport[];
  /** preemption model: none, voluntary, full; empty if unknown */
  readonly preemption: string;
  /** messages of the kernel */
  readonly console: string;
}

export interface KernelRun {
  readonly kernel: TestKernel;
  /** paths of test files; if empty, only the verdicts on programs are returned */
  readonly files: readonly string[];
  /** profiles in which the files run. @default full */
  readonly profiles?: readonly Profile[];
  /** leave out the verdicts on programs. @default false */
  readonly filesOnly?: boolean;
  /** deadline for everything */
  readonly timeoutMs: number;
  /** added to the kernel's command line */
  readonly kernelArguments?: string;
  readonly onFile?: (report: FileReport, profile: Profile) => void;
  /** stops the guest at once */
  readonly signal?: AbortSignal;
}

export interface ScriptRun {
  readonly kernel: TestKernel;
  /** fills the directory that becomes the guest's /program */
  readonly write: (directory: string) => Promise<void>;
  /** path in /program, run with Node */
  readonly script: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** added to the kernel's command line */
  readonly kernelArguments?: string;
  readonly countInstructions?: boolean;
  readonly onLine?: (line: string) => void;
  /** stops the guest at once */
  readonly signal?: AbortSignal;
}

export interface ScriptResult {
  /** lines of JSON */
  readonly lines: readonly unknown[];
  readonly console: string;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Error(`the guest printed a line that is not a report: ${line}`, { cause });
  }
}

/** Throws if the guest does not finish, or if the script fails. */
export async function runScript({ write, script, args, onLine, ...run }: ScriptRun): Promise<ScriptResult> {
  const program = mkdtempSync(join(tmpdir(), 'ringfence-guest-'));
  try {
    await write(program);
    const lines: string[] = [];
    const take = (line: string): void => {
      lines.push(line);
      onLine?.(line);
    };
    const { exitCode, console } = await runInGuest({
      ...run,
      program,
      command: nodeCommand(script, args),
      onLine: take,
    });
    if (exitCode !== 0) throw new Error(`${script} on ${run.kernel.release} exited with ${exitCode}:\n${console}`);
    return { lines: lines.map(parse), console };
  } finally {
    rmSync(program, { recursive: true, force: true });
  }
}

const inGuest = (kernel: TestKernel): Pick<ScriptRun, 'kernel' | 'write' | 'script'> => ({
  kernel,
  write: (directory) =>
    kernel.architecture === 'x64' ? writeTree(directory, kernel) : writeForeignTree(directory, kernel.architecture),
  script: 'test/kernels/lib/in-guest.ts',
});

/** Throws like runScript, and if the guest reported too few files. */
export async function runOnKernel(run: KernelRun): Promise<KernelReport> {
  const { kernel, files, profiles = ['full'], filesOnly = false, kernelArguments = '', onFile, ...how } = run;
  const onLine = (line: string): void => {
    if (!line.startsWith('{"type":"file"')) return;
    const { report, profile } = parse(line) as GuestLine & { type: 'file' };
    onFile?.(report, profile);
  };
  const asked = profiles.flatMap((profile) => ['--profile', profile]);
  const args = [...(filesOnly ? ['--files-only'] : []), ...asked, ...files];
  const { lines, console } = await runScript({ ...how, ...inGuest(kernel), args, kernelArguments, onLine });
  const guestLines = lines as GuestLine[];
  const verdictLine = guestLines.find((line) => line.type === 'programs');
  const reports = guestLines.flatMap((line) => (line.type === 'file' ? [line.report] : []));
  const expected = files.length * profiles.length;
  if ((verdictLine === undefined && !filesOnly) || reports.length !== expected)
    throw new Error(`${kernel.release} reported ${reports.length} files of ${expected}:\n${console}`);
  const preemption = guestLines.find((line) => line.type === 'kernel')?.preemption ?? '';
  return { programs: verdictLine?.programs ?? [], files: reports, preemption, console };
}

export interface MethodsReport extends AttachMethodReport {
  /** of each file, by each attach method that was requested */
  readonly files: readonly { readonly method: string; readonly report: FileReport }[];
}

/** Runs the files once by each of the attach methods, on a kernel with these arguments. */
export async function runByAttachMethods(
  run: Pick<KernelRun, 'kernel' | 'files' | 'timeoutMs'> & {
    readonly methods: readonly string[];
    readonly kernelArguments: string;
  },
): Promise<MethodsReport> {
  const { kernel, files, methods, ...rest } = run;
  const args = [...methods.flatMap((method) => ['--attach-method', method]), ...files];
  const lines = (await runScript({ ...inGuest(kernel), ...rest, args })).lines as GuestLine[];
  const methodReport = lines.find((line) => line.type === 'attach-methods');
  if (methodReport === undefined) throw new Error(`${run.kernel.release} did not report its attach methods`);
  const reports = lines.flatMap((line) =>
    line.type === 'file' && line.method !== undefined ? [{ method: line.method, report: line.report }] : [],
  );
  return { ...methodReport, files: reports };
}
