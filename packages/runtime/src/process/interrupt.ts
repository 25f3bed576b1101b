/** A service manager signals the whole process group, and a parent may forward the signal: both count as one request. */
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
