import { globSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ifExists, realPathWithin } from '@ringfence/host-kit';
import { BpfError, type BpfLink, type BpfObject } from '@ringfence/libbpf-ts';
import { probePath } from '../pins/paths.ts';

export interface ProbeOptions {
  /** files that define probes, or directories of such *.yaml files. @default none */
  readonly custom?: readonly string[];
  readonly pam: boolean;
  readonly shell: boolean;
  readonly tls: boolean;
  /** additional libraries and programs, by their path on the host */
  readonly files: readonly string[];
}

interface Probe {
  /** program of the sensor */
  readonly program: string;
  /** function in the probed file */
  readonly symbol: string;
  readonly onReturn: boolean;
  /** some versions or builds of the file lack this function */
  readonly optional: boolean;
}

/** A file of this host and the probes to set in it. */
export interface ProbedFile {
  readonly path: string;
  readonly probes: readonly Probe[];
}

interface FileKind {
  readonly group: 'pam' | 'shell' | 'tls';
  /** matches the file's base name */
  readonly name: RegExp;
  /** default locations, as glob patterns */
  readonly locations: readonly string[];
  readonly probes: readonly Probe[];
}

const entry = (program: string, symbol: string): Probe => ({ program, symbol, onReturn: false, optional: false });
const exit = (program: string, symbol: string): Probe => ({ program, symbol, onReturn: true, optional: false });
const optional = (...probes: Probe[]): Probe[] => probes.map((probe) => ({ ...probe, optional: true }));

/** Library directories: of Debian and its derivatives (by architecture), of Red Hat, and of others. */
const LIBRARIES = [
  '/usr/lib/*-linux-gnu',
  '/lib/*-linux-gnu',
  '/usr/lib64',
  '/lib64',
  '/usr/lib',
  '/lib',
  '/usr/local/lib',
];
const PROGRAMS = ['/bin', '/usr/bin', '/usr/local/bin'];
const within = (directories: readonly string[], names: readonly string[]): string[] =>
  directories.flatMap((directory) => names.map((name) => `${directory}/${name}`));

const FILE_KINDS: readonly FileKind[] = [
  {
    group: 'pam',
    name: /^libpam\.so/,
    locations: within(LIBRARIES, ['libpam.so.0']),
    probes: [
      entry('pam_start_enter', 'pam_start'),
      exit('pam_call_exit', 'pam_start'),
      ...optional(entry('pam_confdir_enter', 'pam_start_confdir'), exit('pam_call_exit', 'pam_start_confdir')),
      entry('pam_set_item_enter', 'pam_set_item'),
      exit('pam_call_exit', 'pam_set_item'),
      entry('pam_end_enter', 'pam_end'),
      entry('pam_authenticate_enter', 'pam_authenticate'),
      exit('pam_authenticate_exit', 'pam_authenticate'),
    ],
  },
  {
    group: 'shell',
    name: /^bash$/,
    locations: within(PROGRAMS, ['bash']),
    // A bash without this function uses libreadline.
    probes: optional(exit('shell_line_exit', 'readline')),
  },
  {
    group: 'shell',
    name: /^libreadline\.so/,
    locations: within(LIBRARIES, ['libreadline.so.8']),
    probes: [exit('shell_library_exit', 'readline')],
  },
  {
    group: 'shell',
    name: /^zle\.so$/,
    locations: within(LIBRARIES, ['zsh/*/zsh/zle.so', 'zsh/*/zle.so']),
    probes: [exit('shell_line_exit', 'zleread')],
  },
  {
    group: 'tls',
    name: /^libssl\.so/,
    locations: within(LIBRARIES, ['libssl.so.3', 'libssl.so.1.1']),
    probes: [
      entry('tls_write_enter', 'SSL_write'),
      exit('tls_exit', 'SSL_write'),
      entry('tls_read_enter', 'SSL_read'),
      exit('tls_exit', 'SSL_read'),
      ...optional(
        entry('tls_write_ex_enter', 'SSL_write_ex'),
        exit('tls_exit', 'SSL_write_ex'),
        entry('tls_read_ex_enter', 'SSL_read_ex'),
        exit('tls_exit', 'SSL_read_ex'),
      ),
    ],
  },
];

/** Programs of the sensor that the settings need. */
export function wantedPrograms(options: ProbeOptions): ReadonlySet<string> {
  const kinds = FILE_KINDS.filter(({ group }) => options[group]);
  return new Set(kinds.flatMap(({ probes }) => probes.map(({ program }) => program)));
}

/** Names of the files that the settings ask for and this host lacks. */
export function absentFiles(options: ProbeOptions, files: readonly ProbedFile[]): string[] {
  const kinds = FILE_KINDS.filter(
    ({ group, probes }) => options[group] && !files.some((file) => file.probes === probes),
  );
  return kinds.flatMap(({ locations }) => basename(locations[0] ?? ''));
}

/** Finds the files to probe on this host. A file with several names (links) is returned once. */
export function findProbedFiles(options: ProbeOptions, hostRoot: string): ProbedFile[] {
  const files = new Map<string, ProbedFile>();
  for (const { group, name, locations, probes } of FILE_KINDS) {
    if (!options[group]) continue;
    const additional = options.files.filter((file) => name.test(basename(file)));
    for (const path of [...expand(locations, hostRoot), ...additional.map((file) => join(hostRoot, file))]) {
      const stat = ifExists(() => statSync(path));
      const key = stat === null ? path : `${stat.dev}:${stat.ino}`;
      if (!files.has(key)) files.set(key, { path, probes });
    }
  }
  return [...files.values()];
}

function expand(patterns: readonly string[], hostRoot: string): string[] {
  const paths = patterns.flatMap((pattern) => globSync(join(hostRoot, pattern)).sort());
  return paths.flatMap((path) => realPathWithin(path, hostRoot) ?? []);
}

/** Sets all probes of a file. If a function is missing that is not optional, sets none and throws BpfError. */
export function setProbes(object: BpfObject, { path, probes }: ProbedFile): { program: string; link: BpfLink }[] {
  using stack = new DisposableStack();
  const attached: { program: string; link: BpfLink }[] = [];
  for (const { program, symbol, onReturn, optional } of probes) {
    try {
      attached.push({ program, link: stack.use(object.program(program).attachUprobe({ path, symbol, onReturn })) });
    } catch (error) {
      if (!optional || !(error instanceof BpfError)) throw error;
    }
  }
  stack.move();
  return attached;
}

/** Sets the probes of a file and pins their links. Returns how many were set. Throws BpfError. */
export function pinProbes(object: BpfObject, file: ProbedFile, pinPath: string, fileNumber: number): number {
  const attached = setProbes(object, file);
  for (const [index, { program, link }] of attached.entries())
    link.pin(probePath(pinPath, program, `${fileNumber}_${index}`));
  return attached.length;
}
