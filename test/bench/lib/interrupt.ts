/**
 * Aborts at the first Ctrl-C or SIGTERM: the current wait then fails, and everything that was started is stopped on the
 * way out. A second signal exits at once. In a module of its own, because its import installs the handlers.
 */
export const interrupted: AbortSignal = listenForSignals();

function listenForSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  return controller.signal;
}
