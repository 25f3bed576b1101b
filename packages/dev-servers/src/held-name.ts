import { createConnection, createServer, type Socket } from 'node:net';

/**
 * A name that one process of the machine holds at a time: an abstract Unix socket is bound to it. The kernel lets go of it however its holder
 * ends, so there are no stale locks.
 */
export type HeldName = AsyncDisposable;

function address(name: string): string {
  return `\0ringfence-testkit/${name}`;
}

/** @returns undefined: another holds it */
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

/** Resolves when the holder has let go of the name, or nobody holds it. */
function released(name: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = createConnection(address(name));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** Waits for as long as another holds it. */
export async function hold(name: string): Promise<HeldName> {
  for (;;) {
    const held = await tryHold(name);
    if (held !== undefined) return held;
    await released(name);
  }
}
