/** The sensor's tests on another kernel. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInGuest, type TestKernel } from '@ringfence/testkit';
import type { FileReport } from '../../../tools/test-runner/run-file.ts';
import type { GuestLine } from './in-guest.ts';
import type { ProgramVerdict } from './programs.ts';
import { nodeCommand, writeTree } from './tree.ts';

export interface KernelReport {
  readonly release: string;
  readonly programs: readonly ProgramVerdict[];
  readonly files: readonly FileReport[];
  /** what the kernel said */
  readonly console: string;
}

export interface KernelRun {
  readonly kernel: TestKernel;
  /** paths of test files; none: only the programs are judged */
  readonly files: readonly string[];
  /** for the whole of it */
  readonly timeoutMs: number;
  readonly onFile?: (report: FileReport) => void;
}

function parse(line: string): GuestLine {
  try {
    return JSON.parse(line) as GuestLine;
  } catch (cause) {
    throw new Error(`the guest printed what is no report: ${line}`, { cause });
  }
}

/** Throws when the guest does not come to its end, or told of fewer files than it was given. */
export async function runOnKernel({ kernel, files, timeoutMs, onFile }: KernelRun): Promise<KernelReport> {
  const program = mkdtempSync(join(tmpdir(), 'ringfence-guest-'));
  try {
    await writeTree(program);
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      if (line.startsWith('{"type":"file"')) onFile?.((parse(line) as GuestLine & { type: 'file' }).report);
    };
    const command = nodeCommand('test/kernels/lib/in-guest.ts', files);
    const { exitCode, console } = await runInGuest({ kernel, program, command, timeoutMs, onLine });
    if (exitCode !== 0) throw new Error(`the tests' runner on ${kernel.release} exited with ${exitCode}:\n${console}`);
    const told = lines.map(parse);
    const judged = told.find((line) => line.type === 'programs');
    const reports = told.flatMap((line) => (line.type === 'file' ? [line.report] : []));
    if (judged === undefined || reports.length !== files.length)
      throw new Error(`${kernel.release} told of ${reports.length} files of ${files.length}:\n${console}`);
    return { release: judged.release, programs: judged.programs, files: reports, console };
  } finally {
    rmSync(program, { recursive: true, force: true });
  }
}
