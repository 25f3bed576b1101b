/**
 * Runs in a guest: runs `ringfence doctor`. With `mend`, first removes what a running machine may lack, then runs each
 * command that the red lines suggest, and runs doctor again. Prints one line of JSON, a Verdict or a GuestDoctor.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

interface RedLine {
  readonly name: string;
  readonly fix: string;
}

export interface Verdict {
  readonly exitCode: number | null;
  readonly red: readonly RedLine[];
  /** hooks of the full profile: sections of those that attach, names of those that don't */
  readonly full: { readonly active: readonly string[]; readonly absent: readonly string[] };
}

export interface GuestDoctor {
  /** run by an unprivileged user */
  readonly unprivileged: Verdict;
  readonly before: Verdict;
  /** the commands that the red lines suggest, with their results */
  readonly commands: readonly { readonly command: string; readonly exitCode: number | null; readonly output: string }[];
  readonly after: Verdict;
}

interface Report {
  readonly machine: readonly { name: string; ok: boolean; fix: string }[];
  readonly hooks: readonly {
    program: string;
    section: string;
    profile: string;
    problem: string | null;
    fix: string;
    absent: boolean;
  }[];
}

const DOCTOR = join(import.meta.dirname, '../../../deploy/bin/ringfence');
/** The guest's disk has less space than doctor requires. */
const STATE = '/run/state';

/** Doctor would reject the tests' variable as an unknown setting. */
const { RINGFENCE_TEST_PREBUILT: _prebuilt, ...env } = process.env;

function run(command: string, args: readonly string[]): { exitCode: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 << 20, env });
  if (error !== undefined) throw error;
  return { exitCode: status, stdout, stderr };
}

function shell(command: string): { exitCode: number | null; stdout: string; stderr: string } {
  return run('sh', ['-c', command]);
}

/** @param prefix a command that runs doctor, such as setpriv */
function ask(by: readonly string[] = []): Verdict {
  const [file = '', ...args] = [...by, DOCTOR, 'doctor', '--json', '--state-dir', STATE];
  const { exitCode, stdout, stderr } = run(file, args);
  if (!stdout.startsWith('{')) throw new Error(`doctor ended with ${exitCode}: ${stderr}${stdout}`);
  const { machine, hooks } = JSON.parse(stdout) as Report;
  const full = hooks.filter(({ profile }) => profile === 'full');
  const works = full.filter(({ problem, absent }) => problem === null && !absent);
  return {
    exitCode,
    red: [
      ...machine.filter(({ ok }) => !ok),
      ...hooks.flatMap(({ program, problem, fix }) => (problem === null ? [] : [{ name: program, fix }])),
    ].map(({ name, fix }) => ({ name, fix })),
    full: {
      active: works.map(({ section }) => section),
      absent: full.filter((hook) => !works.includes(hook)).map(({ program }) => program),
    },
  };
}

/** Removes what a running machine may lack. Unmounting debugfs also unmounts tracefs. */
const TAKE_AWAY = [
  'umount /sys/fs/bpf /sys/kernel/debug /sys/kernel/tracing /sys/fs/cgroup',
  'sysctl -w kernel.ftrace_enabled=0',
  'sysctl -w kernel.kptr_restrict=2',
];
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

function mend(): GuestDoctor {
  const unprivileged = ask(NOBODY);
  for (const command of TAKE_AWAY) {
    const { exitCode, stderr } = shell(command);
    if (exitCode !== 0) throw new Error(`${command}: ${stderr}`);
  }
  const before = ask();
  const commands = [...new Set(before.red.map(({ fix }) => fix))].map((command) => {
    const { exitCode, stdout, stderr } = shell(command);
    return { command, exitCode, output: `${stdout}${stderr}` };
  });
  return { unprivileged, before, commands, after: ask() };
}

if (import.meta.main) {
  // The unprivileged user may run the program, but not write to the state directory.
  shell(`chmod 755 /program && mkdir -p ${STATE} && mount -t tmpfs -o size=2g,mode=700 tmpfs ${STATE}`);
  const answer = process.argv[2] === 'mend' ? mend() : ask();
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
