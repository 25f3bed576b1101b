import { createServer } from 'node:net';
import { TestServerError } from './errors.ts';
import { type HeldName, tryHold } from './held-name.ts';

/** Below the ports of outgoing connections (32768 and up), above the ports of services. */
const FIRST = 20_000;
const COUNT = 12_000;

export interface ReservedPorts extends AsyncDisposable {
  readonly ports: readonly number[];
}

/** Resolves to true if a server can listen on the port. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

async function tryReserve(port: number): Promise<HeldName | undefined> {
  const held = await tryHold(`port/${port}`);
  if (held === undefined || (await isFree(port))) return held;
  await held[Symbol.asyncDispose]();
  return undefined;
}

/**
 * Reserves free ports of 127.0.0.1 until they are disposed of or this process ends. No other caller gets them, so that
 * a server can be restarted on its port.
 */
export async function reservePorts(count: number): Promise<ReservedPorts> {
  const held: { port: number; name: HeldName }[] = [];
  const start = Math.floor(Math.random() * COUNT);
  for (let step = 0; step < COUNT && held.length < count; step++) {
    const port = FIRST + ((start + step) % COUNT);
    const name = await tryReserve(port);
    if (name !== undefined) held.push({ port, name });
  }
  const dispose = async () => {
    await Promise.all(held.map(({ name }) => name[Symbol.asyncDispose]()));
  };
  if (held.length < count) {
    await dispose();
    const range = `${FIRST} to ${FIRST + COUNT - 1}`;
    throw new TestServerError(
      'ERR_TESTKIT_PORTS',
      `no ${count} free ports on 127.0.0.1 from ${range}: end the processes that use them`,
    );
  }
  return { ports: held.map(({ port }) => port), [Symbol.asyncDispose]: dispose };
}
