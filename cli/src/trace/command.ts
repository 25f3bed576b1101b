import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError, paintFor } from '@ringfence/base';
import { findContainers } from '@ringfence/collector';
import { TRACER_OBJECT } from '@ringfence/config';
import { cgroupRoot } from '@ringfence/simulator/demo';
import {
  numbersOf,
  printTrace,
  readSystemCalls,
  TracedCommand,
  TraceOutput,
  Tracer,
  type TracerOptions,
} from '@ringfence/syscall-trace';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { numberOf, PID_MAX, settingsOf, withSettings } from '../shared/context.ts';

interface TraceOptions {
  readonly pid?: string;
  readonly follow?: boolean;
  readonly cgroup?: string;
  readonly container?: string;
  readonly syscall?: string;
  readonly summary?: boolean;
  readonly json?: boolean;
  readonly bytes: string;
  readonly output?: string;
}

const HELP = `
A call is shown when it returns, with its arguments by name, its result and how long it took:

  17:02:11.123456 [4711 cat] close(fd: 3) = 0 <1.2 µs>

"= ?" has not returned, or never does. Text is what was in memory when the call began; up to 256 bytes of an argument are kept, … stands for the rest.
Lines go to stdout; those of a COMMAND to stderr, since stdout is its own. Its exit code is passed on. The trace ends with the command, with the last
traced process, or at Ctrl-C, and says how much was lost. Nothing stays in the kernel; nothing is stopped, slowed by ptrace, or hidden from
a debugger. 32-bit programs' calls are shown by number. The agent need not run.

Examples:
  ringfence trace -- curl -s https://example.org   all that curl does
  ringfence trace --syscall openat,execve -- make  only these two calls
  ringfence trace --summary -- ls -l /usr          counts, errors and time
  ringfence trace --pid 4711 --follow              a process, and what it starts
  ringfence trace --container web-1 --json         a JSON object a line`;

export function addTrace(program: Command): void {
  const command = program
    .command('trace')
    .argument('[command...]', 'program to run and trace, with its arguments; write -- in front')
    .description(DESCRIPTIONS.trace)
    .option('--pid <pid>', 'trace this process, all its threads')
    .option('--follow', 'with --pid: processes it starts from now on too')
    .option(
      '--cgroup <path>',
      'trace all processes of a cgroup (v2) and of those below: its directory, or its path in the hierarchy',
    )
    .option(
      '--container <id>',
      "trace a container: its id, at least 6 letters of it, or its name, as its runtime's files tell",
    )
    .option('--syscall <names>', 'show only these calls: openat,connect,…')
    .option('--summary', 'print calls, errors and time per call at the end instead of lines')
    .option('--json', 'print a JSON object a line')
    .option('--bytes <n>', 'how much of a buffer that is read or written is shown, up to 256', '48')
    .option('--output <file>', 'write to this file instead of the terminal')
    .addHelpText('after', HELP);
  withSettings(command).action(async (words: string[], options: TraceOptions, self: Command) => {
    process.exitCode = await trace(words, options, self);
  });
}

async function trace(words: readonly string[], options: TraceOptions, self: Command): Promise<number> {
  const targets = [words.length > 0, options.pid, options.cgroup, options.container].filter(Boolean);
  if (targets.length !== 1)
    throw new OperatorError(
      'say whom to trace: one of --pid, --cgroup, --container, or a command: ringfence trace -- ls -l',
    );
  const bytesMax = numberOf('--bytes', options.bytes, 0, 256);
  const pid = options.pid === undefined ? null : processOf(options.pid);
  const calls = readSystemCalls();
  const only = options.syscall === undefined ? null : numbersOf(options.syscall.split(','), calls);
  const cgroup = cgroupOf(options, self);
  const objectPath = tracerObject();
  const follow = words.length > 0 || options.follow === true;
  const interrupts = new Interrupts();
  using tracer = new Tracer({ objectPath, calls, only, follow, cgroup, texts: options.summary !== true });
  await using stack = new AsyncDisposableStack();
  const output = stack.adopt(
    new TraceOutput(options.output ?? null, words.length > 0 ? process.stderr : process.stdout),
    (opened) => opened.close(),
  );
  const format = { calls, paint: paintFor(output.stream), bytesMax, epoch: epochOf() };
  const print = { format, json: options.json === true, summary: options.summary === true, untilOver: pid !== null };
  const session = words.length > 0 ? await runCommand(tracer, words, interrupts) : watch(tracer, pid, interrupts);
  await printTrace(tracer, output, print, session.signal);
  const lost = tracer.lostRecords;
  if (lost > 0n) process.stderr.write(`ringfence: ${lost} records were lost: they came faster than they were read\n`);
  return session.code();
}

interface Session {
  readonly signal: AbortSignal;
  readonly code: () => number;
}

/** What becomes of Ctrl-C and SIGTERM, from before the tracer is loaded. */
class Interrupts {
  readonly controller = new AbortController();
  handle: (signal: NodeJS.Signals) => void = () => this.controller.abort();

  constructor() {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, (signal) => this.handle(signal));
  }
}

/** A running process, or a cgroup: until Ctrl-C. */
function watch(tracer: Tracer, pid: number | null, { controller }: Interrupts): Session {
  if (pid !== null) tracer.trace(pid);
  tracer.attach();
  // It may have ended in between, unseen.
  if (pid !== null && !existsSync(`/proc/${pid}`)) controller.abort();
  return { signal: controller.signal, code: () => 0 };
}

/** A command of its own: until it ends. A signal is its to answer; the second ends the trace. */
async function runCommand(tracer: Tracer, words: readonly string[], interrupts: Interrupts): Promise<Session> {
  const { controller } = interrupts;
  const command = await TracedCommand.start(words);
  let code = 0;
  let asked = 0;
  interrupts.handle = (signal) => {
    code = signal === 'SIGINT' ? 130 : 143;
    if (asked++ > 0) controller.abort();
    // Ctrl-C reaches the whole group by itself.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) command.kill(signal);
  };
  command.ended.then((ended) => {
    code = ended;
    controller.abort();
  });
  tracer.trace(command.pid, { fromNextExec: true });
  tracer.attach();
  command.release();
  return { signal: controller.signal, code: () => code };
}

function tracerObject(): string {
  if (existsSync(TRACER_OBJECT)) return TRACER_OBJECT;
  throw new OperatorError(`the tracer is not built (${TRACER_OBJECT}): run npm start, or node tools/build-sensor.ts`);
}

function processOf(text: string): number {
  const pid = numberOf('--pid', text, 1, PID_MAX);
  if (pid === process.pid) throw new OperatorError('--pid: a trace of itself would never end');
  if (!existsSync(`/proc/${pid}`)) throw new OperatorError(`--pid ${pid}: there is no such process`);
  return pid;
}

function cgroupOf({ cgroup, container }: TraceOptions, self: Command): TracerOptions['cgroup'] {
  if (container !== undefined) return containerOf(container, self);
  if (cgroup === undefined) return null;
  const root = cgroupRoot();
  const found = [cgroup, join(root, cgroup)].find((path) => existsSync(`${path}/cgroup.procs`));
  if (found !== undefined) return found;
  throw new OperatorError(`--cgroup ${cgroup}: neither this nor ${join(root, cgroup)} is a cgroup`);
}

function containerOf(wanted: string, self: Command): string {
  const found = findContainers(wanted, [join(settingsOf(self).runDir, 'containers.d')]);
  const [one] = found;
  if (one === undefined)
    throw new OperatorError(
      `--container ${wanted}: no running container has this id or name; --cgroup takes its cgroup instead`,
    );
  if (found.length > 1)
    throw new OperatorError(
      `--container ${wanted}: ${found.length} containers are meant: ${found.map(({ id }) => id).join(', ')}`,
    );
  return one.directory;
}

/** The records' clock counts from the start of the machine, and this process's is the same. */
function epochOf(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n - process.hrtime.bigint();
}
