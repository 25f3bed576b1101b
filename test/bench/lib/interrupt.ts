/** Aborts at the first Ctrl-C or SIGTERM: what is being waited for then fails, and everything that was started is stopped on the way out. */
export const interrupted: AbortSignal = listen();

function listen(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  return controller.signal;
}
