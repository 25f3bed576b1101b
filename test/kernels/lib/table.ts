/** Reads and writes docs/KERNELS.md, which has the verdict of each kernel on each program. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestKernel } from '@ringfence/testkit/kernels';
import type { ProgramVerdict } from './programs.ts';

export interface KernelColumn {
  readonly title: string;
  readonly programs: readonly ProgramVerdict[];
}

/** `6.1`, `6.1 arm64` */
export const columnTitle = ({ series, architecture }: Pick<TestKernel, 'series' | 'architecture'>): string =>
  architecture === 'x64' ? series : `${series} ${architecture}`;

/** Half of the kernel's limit, because another version of clang or of the verifier may double a program's paths. */
export const INSTRUCTIONS_MAX = 500_000;
export const TABLE: string = join(import.meta.dirname, '../../../docs/KERNELS.md');

/**
 * Returns the verdicts that are failures. A missing hook is no failure if the document lists it.
 * @param title title of the kernel's column
 */
export function verdictFailures(
  title: string,
  programs: readonly ProgramVerdict[],
  table: ReturnType<typeof readTable>,
): { program: string; reason: string }[] {
  return programs.flatMap(({ name, full, refused, unattached, instructions }) => {
    const lacks = table.get(name)?.[title]?.includes(NO_HOOK) ?? false;
    // A kernel without trampolines rejects programs that need one.
    if (refused !== undefined && !(lacks && full))
      return [{ program: name, reason: `the verifier rejects it: ${refused}` }];
    if (instructions > INSTRUCTIONS_MAX)
      return [
        { program: name, reason: `the verifier processed ${instructions} instructions, more than ${INSTRUCTIONS_MAX}` },
      ];
    if (unattached === undefined || lacks) return [];
    return [{ program: name, reason: `it cannot be attached: ${unattached}` }];
  });
}

export const NO_HOOK = 'no hook';

function cell(verdict: ProgramVerdict | undefined): string {
  if (verdict === undefined) return '';
  if (verdict.refused !== undefined) return verdict.full ? NO_HOOK : 'refused';
  if (verdict.instructions === 0 && verdict.unattached !== undefined) return NO_HOOK;
  const count = verdict.instructions.toLocaleString('en');
  return verdict.unattached === undefined ? count : `${count}, ${NO_HOOK}`;
}

function notes({ title, programs }: KernelColumn): string[] {
  return programs.flatMap(({ name, refused, unattached }) => {
    const reason = refused ?? unattached;
    return reason === undefined ? [] : [`${title}, ${name}: ${reason}`];
  });
}

/** Returns the whole document. */
export function kernelTable(columns: readonly KernelColumn[]): string {
  const all = new Map(columns.flatMap(({ programs }) => programs.map((program) => [program.name, program])));
  const rows = [...all.values()].map(({ name, section, full }) => {
    const cells = columns.map(({ programs }) => cell(programs.find((program) => program.name === name)));
    return `| \`${name}\` | \`${section}\`${full ? ', full profile' : ''} | ${cells.join(' | ')} |`;
  });
  const lacking = columns.flatMap(notes);
  return [
    '# Kernels',
    '',
    "The verdict of each kernel on the sensor's programs. `npm run test:kernels -- --write` writes this",
    'file, and a test checks that it lists the programs of the object.',
    '',
    'A number is the count of instructions that the verifier processed. The kernel allows 1,000,000. The',
    `tests allow ${INSTRUCTIONS_MAX.toLocaleString('en')}, because the count also depends on the version of clang.`,
    '',
    '- "no hook": the kernel loads the program but has no hook for it.',
    '- "refused": the kernel\'s verifier rejects the program.',
    '',
    'In both cases the agent runs without the program and reports it. The full profile attaches by LSM',
    "where bpf is in the kernel's list of security modules, else by fentry, else by kprobe. The columns",
    'for arm64 come from emulated machines.',
    '',
    `| program | hook | ${columns.map(({ title }) => title).join(' | ')} |`,
    `| --- | --- |${' --- |'.repeat(columns.length)}`,
    ...rows,
    ...(lacking.length > 0 ? ['', '## Why a program has no hook', '', '```', ...lacking, '```'] : []),
    '',
  ].join('\n');
}

/** Returns the cells of each program in the document, by kernel. */
export function readTable(): Map<string, { readonly [kernel: string]: string }> {
  const rows = readFileSync(TABLE, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '));
  const [titles = [], , ...programs] = rows.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((field) => field.trim()),
  );
  return new Map(
    programs.map(([name = '', , ...cells]) => [
      name.replaceAll('`', ''),
      Object.fromEntries(cells.map((text, index) => [titles[index + 2] ?? '', text])),
    ]),
  );
}
