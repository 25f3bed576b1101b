import { createConnection, createServer, type Socket } from 'node:net';

/**
 * A lock by name between the processes of this machine, on an abstract Unix socket. The kernel releases it however the
 * holder ends, so there are no stale locks.
 */
export type HeldName = AsyncDisposable;

function address(name: string): string {
  return `\0ringfence-testkit/${name}`;
}

/** Returns undefined if another process holds the name. */
export function tryHold(name: string): Promise<HeldName | undefined> {
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    waiting.add(socket.unref());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => waiting.delete(socket));
  });
  const release = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of waiting) socket.destroy();
    });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address(name), () => {
      server.unref();
      resolve({ [Symbol.asyncDispose]: release });
    });
  });
}

/** Waits until the name is free. */
function released(name: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = createConnection(address(name));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** Waits until the name is free, and holds it. */
export async function hold(name: string): Promise<HeldName> {
  for (;;) {
    const held = await tryHold(name);
    if (held !== undefined) return held;
    await released(name);
  }
}
