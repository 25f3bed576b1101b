import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Faults, startTcpProxy, type TcpProxy } from '@ringfence/dev-servers/in-process';

const SILENCE_MS = 150;

describe('a TCP proxy', () => {
  let proxy: TcpProxy;
  let undo: AsyncDisposableStack;
  beforeEach(async () => {
    undo = new AsyncDisposableStack();
    const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => {}).pipe(socket));
    await new Promise<void>((resolve) => void echo.listen(0, '127.0.0.1', resolve));
    undo.defer(() => void echo.close());
    const address = echo.address();
    assert.ok(address !== null && typeof address === 'object');
    proxy = undo.use(await startTcpProxy(`127.0.0.1:${address.port}`));
  });
  afterEach(() => undo.disposeAsync());

  async function open(): Promise<Socket> {
    const socket = connect(proxy.port, '127.0.0.1');
    undo.defer(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  /** Sends bytes and returns the ms until they have come back. */
  async function echo(socket: Socket, bytes: number): Promise<number> {
    const started = performance.now();
    socket.write(Buffer.alloc(bytes, 1));
    for (let got = 0; got < bytes; ) got += ((await once(socket, 'data')) as [Buffer])[0].length;
    return performance.now() - started;
  }

  test('passes bytes in both directions, and the end of one side', async () => {
    const socket = await open();
    await echo(socket, 3_000_000);
    assert.deepEqual(proxy.transferred, { up: 3_000_000, down: 3_000_000 });
    socket.end();
    await once(socket, 'end');
  });

  for (const [title, faults, leastMs] of [
    ['delays each direction', { latencyMs: 60 }, 235],
    ['limits the bytes per second', { bytesPerSecond: 200_000 }, 95],
  ] as const satisfies [string, Faults, number][]) {
    test(title, async () => {
      await proxy.set(faults);
      const socket = await open();
      // The second echo waits for the rest of the first one's time, which a busy machine may have spent already.
      const elapsedMs = (await echo(socket, 20_000)) + (await echo(socket, 20_000));
      assert.ok(elapsedMs >= leastMs, `${elapsedMs} ms`);
    });
  }

  test('delivers nothing while it is silent, and everything when healed', async () => {
    const socket = await open();
    await proxy.set({ silent: true });
    const answered = echo(socket, 10).then(() => 'answered');
    const late = await open();
    assert.equal(await Promise.race([answered, sleep(SILENCE_MS, 'silent')]), 'silent');
    await proxy.set({});
    assert.equal(await answered, 'answered');
    await echo(late, 10);
  });

  test('resets open connections when it is cut, and accepts new connections', async () => {
    const socket = await open();
    await echo(socket, 10);
    proxy.cut();
    await assert.rejects(once(socket, 'data'), /ECONNRESET/);
    await echo(await open(), 10);
    assert.equal(proxy.connections, 1);
  });

  test('refuses connections until it is healed', async () => {
    const socket = await open();
    const reset = assert.rejects(once(socket, 'close'), /ECONNRESET/);
    await proxy.set({ refuse: true });
    await reset;
    await assert.rejects(open(), /ECONNREFUSED/);
    await proxy.set({});
    await echo(await open(), 10);
  });
});
