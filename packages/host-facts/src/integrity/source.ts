import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log } from '@ringfence/base';
import { type ContextSink, type EnrichmentSource, type Finding, ifExists, writeAtomically } from '@ringfence/host-kit';
import type { Remembered } from './check.ts';
import type { Integrity, IntegrityOptions } from './integrity.ts';

export interface IntegritySourceOptions extends Omit<IntegrityOptions, 'before'> {
  /** time between two runs; 0 disables the checks */
  readonly everyMs: number;
  /** directory for the state that one run keeps for the next */
  readonly stateDir: string;
  readonly log: Log;
}

/**
 * Uses a process instead of a thread, because libbpf has one message callback per process, which two threads would
 * overwrite.
 */
const WORKER = fileURLToPath(new URL('./integrity-worker.ts', import.meta.url));

/** Delay of the first run, so that it does not add to the work of the agent's start, and not for short-lived agents. */
const FIRST_AFTER_MS = 60_000;
/** Findings that are remembered, so that each is emitted once. */
const EMITTED_MAX = 10_000;
/** Checks whose findings tell of one thing that hides: a rootkit redirects several calls to hide one module. */
const HIDING: ReadonlySet<Finding['check']> = new Set([
  ...(['syscall-dispatch', 'interrupt-table', 'hidden-module', 'hidden-process'] as const),
]);
/** Findings in a list. A hooked kernel has hundreds. */
const LISTED_MAX = 32;

/** Checks kernel and host regularly, and emits new findings. */
export function integritySource(options: IntegritySourceOptions): EnrichmentSource {
  const { everyMs, stateDir, log, ...checkOptions } = options;
  const file = join(stateDir, 'integrity.json');
  const emitted = new Set<string>();
  const found: Finding[] = [];
  let sink: ContextSink | undefined;
  let worker: ChildProcess | undefined;
  let nextAt = performance.now() + Math.min(everyMs, FIRST_AFTER_MS);

  function runCheck(): void {
    nextAt = performance.now() + everyMs;
    const request: IntegrityOptions = { ...checkOptions, before: readState(file) };
    worker = fork(WORKER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    worker.send(request);
    worker.once('message', ({ checks, remembered }: Integrity) => {
      found.push(...checks.flatMap(({ findings }) => findings));
      saveState(remembered);
    });
    // A worker that could not be started emits two errors and never exits.
    worker.on('error', (err) => {
      worker = undefined;
      log.warn({ err }, 'the integrity check could not be started');
    });
    worker.once('exit', (code) => {
      worker = undefined;
      if (code !== 0 && sink !== undefined)
        log.warn({ code }, 'the integrity check failed: the log before this line has the reason');
    });
  }

  /** Catches errors such as a full disk, because no caller would. */
  function saveState(remembered: Remembered): void {
    try {
      writeAtomically(file, JSON.stringify(remembered));
    } catch (err) {
      log.warn(
        { err, file },
        'the state of the integrity check could not be saved: the next check compares with an older one',
      );
    }
  }

  function emitNew(): void {
    const fresh = found.splice(0).filter((finding) => {
      const isFresh = emitted.size < EMITTED_MAX && !emitted.has(textOf(finding));
      return isFresh && emitted.add(textOf(finding));
    });
    const hiding = fresh.filter(({ check }) => HIDING.has(check));
    for (const finding of fresh)
      sink?.finding(finding === hiding[0] && hiding.length > 1 ? { ...finding, list: listOf(hiding) } : finding);
  }

  return {
    name: 'integrity',
    start(into) {
      sink = into;
    },
    tick() {
      emitNew();
      if (everyMs > 0 && worker === undefined && performance.now() >= nextAt) runCheck();
    },
    close() {
      sink = undefined;
      // A check in progress is pointless now, and its result must not be emitted.
      worker?.removeAllListeners('message');
      worker?.kill('SIGKILL');
    },
  };
}

const textOf = ({ check, subject, detail }: Finding): string => `${check} ${subject}: ${detail}`;

function listOf(findings: readonly Finding[]): string {
  const more = findings.length - LISTED_MAX;
  return [...findings.slice(0, LISTED_MAX).map(textOf), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** Returns the state of the last run, which may be that of an earlier agent. */
function readState(file: string): Remembered | undefined {
  const text = ifExists(() => readFileSync(file, 'utf8'));
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as Remembered;
  } catch (error) {
    // Files are written atomically, so another program has changed this one.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
