import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError, paintFor } from '@ringfence/base';
import { TRACER_OBJECT } from '@ringfence/config';
import { findContainers } from '@ringfence/host-facts';
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
import { integerOf, PID_MAX, settingsOf, withSettings } from '../shared/context.ts';

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
Prints each call when it returns, with named arguments, result and duration:

  17:02:11.123456 [4711 cat] close(fd: 3) = 0 <1.2 µs>

"= ?" marks a call that has not returned, or never does. Text arguments are read when the call begins, up to 256 bytes
each; "…" stands for the rest. Lines go to stdout, or to stderr when tracing a COMMAND, whose exit code is passed on.
The trace ends with the command, with the last traced process, or at Ctrl-C, and reports lost records. It leaves
nothing in the kernel and does not stop processes or block debuggers as ptrace does. Calls of 32-bit programs are
shown by number. It needs no running agent.

Examples:
  ringfence trace -- curl -s https://example.org   all calls of curl
  ringfence trace --syscall openat,execve -- make  only these two calls
  ringfence trace --summary -- ls -l /usr          number of calls, errors and time
  ringfence trace --pid 4711 --follow              a process and its new children
  ringfence trace --container web-1 --json         one JSON object per line`;

export function addTrace(program: Command): void {
  const command = program
    .command('trace')
    .argument('[command...]', 'program to run and trace, with its arguments; put -- in front')
    .description(DESCRIPTIONS.trace)
    .option('--pid <pid>', 'trace all threads of this process')
    .option('--follow', 'with --pid: also trace processes that it starts from now on')
    .option(
      '--cgroup <path>',
      'trace all processes of a cgroup (v2) and its descendants: its directory, or its path in the hierarchy',
    )
    .option(
      '--container <id>',
      'trace a container: its id, at least 6 characters of it, or its name in the files of its runtime',
    )
    .option('--syscall <names>', 'print only these calls: openat,connect,…')
    .option('--summary', 'print the number of calls, errors and time of each system call at the end')
    .option('--json', 'print one JSON object per line')
    .option('--bytes <n>', 'bytes to print of a buffer that is read or written, up to 256', '48')
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
      'expected exactly one of --pid, --cgroup, --container or a command: ringfence trace -- ls -l',
    );
  const bytesMax = integerOf('--bytes', options.bytes, 0, 256);
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
    (stream) => stream.close(),
  );
  const format = { calls, paint: paintFor(output.stream), bytesMax, epoch: epochOf() };
  const print = { format, json: options.json === true, summary: options.summary === true, untilOver: pid !== null };
  const session = words.length > 0 ? await runCommand(tracer, words, interrupts) : watch(tracer, pid, interrupts);
  await printTrace(tracer, output, print, session.signal);
  const lost = tracer.lostRecords;
  if (lost > 0n)
    process.stderr.write(`ringfence: ${lost} records were lost: they arrived faster than they could be read\n`);
  return session.code();
}

interface Session {
  readonly signal: AbortSignal;
  readonly code: () => number;
}

/** Handles SIGINT and SIGTERM from before the tracer is loaded. By default they end the trace. */
class Interrupts {
  readonly controller = new AbortController();
  handle: (signal: NodeJS.Signals) => void = () => this.controller.abort();

  constructor() {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, (signal) => this.handle(signal));
  }
}

/** Traces a running process or a cgroup until Ctrl-C. */
function watch(tracer: Tracer, pid: number | null, { controller }: Interrupts): Session {
  if (pid !== null) tracer.trace(pid);
  tracer.attach();
  // The tracer misses the exit of a process that ended before it was attached, so the trace would not end.
  if (pid !== null && !existsSync(`/proc/${pid}`)) controller.abort();
  return { signal: controller.signal, code: () => 0 };
}

/** Runs a command and traces it until it ends. The first signal goes to the command, the second ends the trace. */
async function runCommand(tracer: Tracer, words: readonly string[], interrupts: Interrupts): Promise<Session> {
  const { controller } = interrupts;
  const command = await TracedCommand.start(words);
  let code = 0;
  let signals = 0;
  interrupts.handle = (signal) => {
    code = signal === 'SIGINT' ? 130 : 143;
    if (signals++ > 0) controller.abort();
    // The terminal sends Ctrl-C to the whole process group, so the command already has it.
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
  throw new OperatorError(
    `the tracer is not built (${TRACER_OBJECT}): run npm start, or node packages/sensor/src/build/build-sensor.ts`,
  );
}

function processOf(text: string): number {
  const pid = integerOf('--pid', text, 1, PID_MAX);
  if (pid === process.pid) throw new OperatorError('--pid: a trace of this command itself would never end');
  if (!existsSync(`/proc/${pid}`)) throw new OperatorError(`--pid ${pid}: no such process`);
  return pid;
}

function cgroupOf({ cgroup, container }: TraceOptions, self: Command): TracerOptions['cgroup'] {
  if (container !== undefined) return containerOf(container, self);
  if (cgroup === undefined) return null;
  const root = cgroupRoot();
  const found = [cgroup, join(root, cgroup)].find((path) => existsSync(`${path}/cgroup.procs`));
  if (found !== undefined) return found;
  throw new OperatorError(`--cgroup ${cgroup}: neither this path nor ${join(root, cgroup)} is a cgroup`);
}

function containerOf(wanted: string, self: Command): string {
  const found = findContainers(wanted, [join(settingsOf(self).runDir, 'containers.d')]);
  const [container] = found;
  if (container === undefined)
    throw new OperatorError(
      `--container ${wanted}: no running container has this id or name; --cgroup traces any cgroup`,
    );
  if (found.length > 1)
    throw new OperatorError(
      `--container ${wanted}: ${found.length} containers match: ${found.map(({ id }) => id).join(', ')}`,
    );
  return container.directory;
}

/** Returns ns since the epoch at zero of CLOCK_MONOTONIC, the clock of the records and of process.hrtime. */
function epochOf(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n - process.hrtime.bigint();
}
