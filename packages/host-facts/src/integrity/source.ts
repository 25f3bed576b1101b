import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log } from '@ringfence/base';
import type { ContextSink, EnrichmentSource, Finding } from '@ringfence/host-kit';
import { ifExists, writeAtomically } from '@ringfence/host-kit';
import type { Remembered } from './check.ts';
import type { Integrity, IntegrityOptions } from './integrity.ts';

export interface IntegritySourceOptions extends Omit<IntegrityOptions, 'before'> {
  /** ms between two looks; 0: never */
  readonly everyMs: number;
  /** where what a look remembers is kept */
  readonly stateDir: string;
  readonly log: Log;
}

/**
 * A process of its own, not a thread: libbpf has one place for messages in a process, and two threads that call it at once would write through each
 * other's callback.
 */
const WORKER = fileURLToPath(new URL('./integrity-worker.ts', import.meta.url));

/** The start of an agent has enough to do, and what runs for a moment only is not worth a look. */
const FIRST_AFTER_MS = 60_000;

/** Looks at kernel and host from time to time, and tells what is new among the findings. */
export function integritySource(options: IntegritySourceOptions): EnrichmentSource {
  const { everyMs, stateDir, log, ...what } = options;
  const file = join(stateDir, 'integrity.json');
  const told = new Set<string>();
  const found: Finding[] = [];
  let sink: ContextSink | undefined;
  let worker: ChildProcess | undefined;
  let nextAt = performance.now() + Math.min(everyMs, FIRST_AFTER_MS);

  function look(): void {
    nextAt = performance.now() + everyMs;
    const before = recall(file);
    const asked: IntegrityOptions = { ...what, before };
    worker = fork(WORKER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    worker.send(asked);
    worker.once('message', ({ checks, remembered }: Integrity) => {
      found.push(...checks.flatMap(({ findings }) => findings));
      remember(remembered);
    });
    // One that could not be started says so, and then that nothing can be sent to it; it never exits.
    worker.on('error', (err) => {
      worker = undefined;
      log.warn({ err }, 'the integrity of the kernel could not be looked at');
    });
    worker.once('exit', (code) => {
      worker = undefined;
      if (code !== 0 && sink !== undefined)
        log.warn({ code }, 'the integrity of the kernel could not be looked at: what was wrong stands before this');
    });
  }

  /** Nobody stands above to catch what a full disk says. */
  function remember(remembered: Remembered): void {
    try {
      writeAtomically(file, JSON.stringify(remembered));
    } catch (err) {
      log.warn(
        { err, file },
        'what the kernel looked like could not be kept: the next look compares with an older one',
      );
    }
  }

  function tell(): void {
    for (const finding of found.splice(0)) {
      const key = `${finding.check}\0${finding.subject}\0${finding.detail}`;
      if (told.has(key) || told.size >= TOLD_MAX) continue;
      told.add(key);
      sink?.finding(finding);
    }
  }

  return {
    name: 'integrity',
    start(into) {
      sink = into;
    },
    tick() {
      tell();
      if (everyMs > 0 && worker === undefined && performance.now() >= nextAt) look();
    },
    close() {
      sink = undefined;
      // A look that is under way may end first: nobody asks for it any more.
      worker?.removeAllListeners('message');
      worker?.kill('SIGKILL');
    },
  };
}

const TOLD_MAX = 10_000;

/** What the last look, perhaps of an agent before this one, has remembered. */
function recall(file: string): Remembered | undefined {
  const text = ifExists(() => readFileSync(file, 'utf8'));
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as Remembered;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // it was written in one piece: somebody else has been there
    throw error;
  }
}
