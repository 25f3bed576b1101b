import { credentialsOf, type ExecValues, type SyntheticHost, type SyntheticProcess } from '@ringfence/synthetic';
import { splitCommandLine } from './command-line.ts';
import type { Facts } from './facts.ts';

/** Bits of stdioSockets that each field stands for. */
const SOCKETS: Readonly<Record<string, number>> = {
  'process.stdin.socket': 0x1,
  'process.stdout.socket': 0x2,
  'process.stdin.network': 0x101,
  'process.stdout.network': 0x202,
};
/** Bits that a field clears when it is false. */
const CLEARED: Readonly<Record<string, number>> = {
  'process.stdin.socket': 0x101,
  'process.stdout.socket': 0x202,
  'process.stdin.network': 0x100,
  'process.stdout.network': 0x200,
};
/** RF_EXEC_* */
const FLAGS: Readonly<Record<string, number>> = {
  'process.exec.memfd': 1,
  'process.exec.deleted': 2,
  'process.exec.setuid': 4,
  'process.exec.setgid': 8,
  'process.exec.privileged': 16,
  'process.exec.script': 32,
  'process.exec.upper_layer': 64,
  'process.exec.file_capabilities': 128,
  'process.exec.is_32bit': 512,
};
const USERS: Readonly<Record<string, number>> = { root: 0, nobody: 65_534 };
const ORDINARY_USER = 1000;

/** The program of a process. */
export interface Program {
  readonly executable: string;
  readonly args: readonly string[];
}

/** Returns the program that a command line or fields describe. */
export function programOf(facts: Facts, exec?: string): Program {
  const words = exec === undefined ? undefined : (splitCommandLine(exec) ?? []);
  const first = words?.[0] ?? facts.list('process.args')?.[0] ?? facts.text('process.command_line')?.split(' ')[0];
  const executable = pathOf(facts.text('process.executable'), facts.text('process.name'), first);
  const args = words ?? facts.list('process.args') ?? facts.text('process.command_line')?.split(' ');
  return { executable, args: args ?? [executable] };
}

/** Returns the program of the parent that fields describe. */
export function parentProgramOf(facts: Facts): Program {
  const words = facts.parent('command_line')?.split(' ');
  const executable = pathOf(facts.parent('executable'), facts.parent('name'), words?.[0]);
  return { executable, args: words ?? [executable] };
}

/** Returns the executable. A program without a path is in /usr/bin. @param first word of the command line */
export function pathOf(executable: string | undefined, name: string | undefined, first?: string): string {
  const word = name ?? first ?? 'process';
  return executable ?? (word.startsWith('/') ? word : `/usr/bin/${word.replace(/^-/, '')}`);
}

/** Returns stdioSockets as the fields say. @param inherited of the parent */
export function socketsOf(facts: Facts, inherited = 0): number {
  let sockets = inherited;
  for (const [name, bits] of Object.entries(CLEARED)) if (facts.bool(name) === false) sockets &= ~bits;
  for (const [name, bits] of Object.entries(SOCKETS)) if (facts.bool(name) === true) sockets |= bits;
  return sockets;
}

/** Sets the leaders of the process's group and session that fields give. */
export function setLeaders(process: SyntheticProcess, facts: Facts): void {
  process.processGroup = facts.number('process.group_leader.vpid') ?? process.processGroup;
  process.processSession = facts.number('process.session_leader.vpid') ?? process.processSession;
}

export function execValues(facts: Facts, program: Program, stdioSockets: number): ExecValues {
  const flags = Object.entries(FLAGS).reduce((all, [name, bit]) => (facts.bool(name) === true ? all | bit : all), 0);
  const environment = [
    ...(facts.list('process.env_vars') ?? []),
    ...facts.arguments('process.env_vars').map(([name, value]) => `${name}=${value}`),
  ];
  const script = facts.text('process.script') ?? '';
  return {
    argv: program.args,
    flags: flags | (script === '' ? 0 : (FLAGS['process.exec.script'] ?? 0)),
    stdioSockets,
    environment,
    script,
    filename: facts.text('process.exec.filename') ?? program.executable,
    cwd: facts.text('process.working_directory') ?? '/',
    interpreter: facts.text('process.interpreter') ?? '',
  };
}

/** Reports users to the host when a process first has them. */
export class Users {
  readonly #host: SyntheticHost;
  readonly #known = new Set<string>();

  constructor(host: SyntheticHost) {
    this.#host = host;
  }

  report(uid: number, name: string): void {
    if (this.#known.has(`${uid} ${name}`)) return;
    this.#known.add(`${uid} ${name}`);
    this.#host.user(uid, name);
  }

  /** Returns the credentials that the fields describe, else those that the process has. */
  credentialsOf(facts: Facts, process: SyntheticProcess): SyntheticProcess['credentials'] {
    const name = facts.text('user.name');
    const named = name === undefined ? undefined : (USERS[name] ?? ORDINARY_USER);
    const uid = facts.number('user.id') ?? named;
    const euid = facts.number('user.effective.id') ?? (facts.number('user.id') === undefined ? named : uid) ?? uid;
    const credentials = euid === undefined ? process.credentials : credentialsOf(euid);
    const user = name ?? (credentials.euid === 0 ? 'root' : '');
    if (user !== '') this.report(credentials.euid, user);
    const gid = facts.number('group.id') ?? uid ?? credentials.gid;
    return { ...credentials, uid: uid ?? credentials.uid, gid, egid: facts.number('group.effective.id') ?? gid };
  }
}
