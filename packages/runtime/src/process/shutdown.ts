/** A service manager signals the whole process group, and a parent may forward the signal: that is one request. */
const SAME_REQUEST_MS = 1000;

/** Aborts at the first SIGINT or SIGTERM; a second signal, at least a second later, ends the process at once. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  let requestedAt = Number.POSITIVE_INFINITY;
  const stop = (signal: NodeJS.Signals): void => {
    if (performance.now() - requestedAt > SAME_REQUEST_MS) process.exit(signal === 'SIGINT' ? 130 : 143);
    if (controller.signal.aborted) return;
    requestedAt = performance.now();
    controller.abort(signal);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

/**
 * Ends the process after its output is written: a pipe takes only as much at once as it has room for, and
 * `process.exit` would discard the rest.
 *
 * Exits explicitly because Node 24, when it ends by itself, frees each socket and may spin for ever on a socket whose
 * peer was killed (Environment::CleanupHandles).
 */
export async function exitAfterFlush(): Promise<never> {
  const flushed = [process.stdout, process.stderr].map(
    // An error means that the reader has gone.
    (stream) => new Promise<void>((resolve) => stream.write('', () => resolve())),
  );
  await Promise.all(flushed);
  process.exit();
}
