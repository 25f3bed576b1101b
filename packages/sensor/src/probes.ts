import { globSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ifReadable, ifThere } from '@ringfence/host-kit';
import { BpfError, type BpfLink, type BpfObject } from '@ringfence/libbpf-ts';

export interface ProbeOptions {
  /** files, or directories of *.yaml files, that define probes. @default none */
  readonly custom?: readonly string[];
  readonly pam: boolean;
  readonly shell: boolean;
  readonly tls: boolean;
  /** further libraries and programs, as the host names them */
  readonly files: readonly string[];
}

interface Probe {
  /** of the sensor */
  readonly program: string;
  /** function of the file */
  readonly symbol: string;
  readonly onReturn: boolean;
  /** older versions, or other builds, do without that function */
  readonly optional: boolean;
}

/** A file of this host, and what is to be set in it. */
export interface Place {
  readonly path: string;
  readonly probes: readonly Probe[];
}

interface Kind {
  readonly group: 'pam' | 'shell' | 'tls';
  /** of the file's name */
  readonly name: RegExp;
  /** where it usually is, in the host */
  readonly usual: readonly string[];
  readonly probes: readonly Probe[];
}

const entry = (program: string, symbol: string): Probe => ({ program, symbol, onReturn: false, optional: false });
const end = (program: string, symbol: string): Probe => ({ program, symbol, onReturn: true, optional: false });
const optional = (...probes: Probe[]): Probe[] => probes.map((probe) => ({ ...probe, optional: true }));

/** Of Debian's kin by architecture, of Red Hat's, of others. */
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
const below = (directories: readonly string[], names: readonly string[]): string[] =>
  directories.flatMap((directory) => names.map((name) => `${directory}/${name}`));

const KINDS: readonly Kind[] = [
  {
    group: 'pam',
    name: /^libpam\.so/,
    usual: below(LIBRARIES, ['libpam.so.0']),
    probes: [
      entry('pam_start_enter', 'pam_start'),
      end('pam_call_exit', 'pam_start'),
      ...optional(entry('pam_confdir_enter', 'pam_start_confdir'), end('pam_call_exit', 'pam_start_confdir')),
      entry('pam_set_item_enter', 'pam_set_item'),
      end('pam_call_exit', 'pam_set_item'),
      entry('pam_end_enter', 'pam_end'),
      entry('pam_authenticate_enter', 'pam_authenticate'),
      end('pam_authenticate_exit', 'pam_authenticate'),
    ],
  },
  {
    group: 'shell',
    name: /^bash$/,
    usual: below(PROGRAMS, ['bash']),
    // Where it has no such function, it uses the library.
    probes: optional(end('shell_line_exit', 'readline')),
  },
  {
    group: 'shell',
    name: /^libreadline\.so/,
    usual: below(LIBRARIES, ['libreadline.so.8']),
    probes: [end('shell_library_exit', 'readline')],
  },
  {
    group: 'shell',
    name: /^zle\.so$/,
    usual: below(LIBRARIES, ['zsh/*/zsh/zle.so', 'zsh/*/zle.so']),
    probes: [end('shell_line_exit', 'zleread')],
  },
  {
    group: 'tls',
    name: /^libssl\.so/,
    usual: below(LIBRARIES, ['libssl.so.3', 'libssl.so.1.1']),
    probes: [
      entry('tls_write_enter', 'SSL_write'),
      end('tls_exit', 'SSL_write'),
      entry('tls_read_enter', 'SSL_read'),
      end('tls_exit', 'SSL_read'),
      ...optional(
        entry('tls_write_ex_enter', 'SSL_write_ex'),
        end('tls_exit', 'SSL_write_ex'),
        entry('tls_read_ex_enter', 'SSL_read_ex'),
        end('tls_exit', 'SSL_read_ex'),
      ),
    ],
  },
];

/** Whether a program of the sensor is a probe, by its section: it does not say itself where it goes. */
export const isProbe = (section: string): boolean => /^(u(ret)?probe\b|tracepoint$)/.test(section);

/** Programs of the sensor that the settings ask for. */
export function wantedPrograms(options: ProbeOptions): ReadonlySet<string> {
  const kinds = KINDS.filter(({ group }) => options[group]);
  return new Set(kinds.flatMap(({ probes }) => probes.map(({ program }) => program)));
}

/** Of what the settings ask for, what this host doesn't have. */
export function absentFiles(options: ProbeOptions, places: readonly Place[]): string[] {
  const kinds = KINDS.filter(({ group, probes }) => options[group] && !places.some((place) => place.probes === probes));
  return kinds.flatMap(({ usual }) => basename(usual[0] ?? ''));
}

/** What there is of them on this host, each file once however many names it has. */
export function probePlaces(options: ProbeOptions, hostRoot: string): Place[] {
  const places = new Map<string, Place>();
  for (const { group, name, usual, probes } of KINDS) {
    if (!options[group]) continue;
    const further = options.files.filter((file) => name.test(basename(file)));
    for (const path of [...found(usual, hostRoot), ...further.map((file) => join(hostRoot, file))]) {
      const file = ifThere(() => statSync(path));
      const key = file === null ? path : `${file.dev}:${file.ino}`;
      if (!places.has(key)) places.set(key, { path, probes });
    }
  }
  return [...places.values()];
}

/** Sets a file's probes. All that it must have, or none: then the error says which is missing. */
export function setProbes(object: BpfObject, { path, probes }: Place): { program: string; link: BpfLink }[] {
  using stack = new DisposableStack();
  const set: { program: string; link: BpfLink }[] = [];
  for (const { program, symbol, onReturn, optional: spared } of probes) {
    try {
      set.push({ program, link: stack.use(object.program(program).attachUprobe({ path, symbol, onReturn })) });
    } catch (error) {
      if (!spared || !(error instanceof BpfError)) throw error;
    }
  }
  stack.move();
  return set;
}

/** A link is followed in the host, as far as it doesn't lead out of it. null: it leads to nothing there. */
export function realPath(path: string, hostRoot: string): string | null {
  const real = ifReadable(() => realpathSync(path));
  return real?.startsWith(hostRoot) ? real : null;
}

function found(patterns: readonly string[], hostRoot: string): string[] {
  const paths = patterns.flatMap((pattern) => globSync(join(hostRoot, pattern)).sort());
  return paths.flatMap((path) => realPath(path, hostRoot) ?? []);
}
