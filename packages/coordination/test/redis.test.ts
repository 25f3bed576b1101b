import assert from 'node:assert/strict';
import { type AddressInfo, createConnection } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { createTestCa, startTcpProxy } from '@ringfence/testkit';
import { type RedisServer, redisMissing, startRedis } from '@ringfence/testkit/servers';
import { Redis } from 'ioredis';
import { job, until } from '../src/conformance/helpers.ts';
import { conformance } from '../src/conformance/index.ts';
import {
  BadArgumentError,
  type Coordination,
  CoordinationAwayError,
  CoordinationRefusedError,
  openCoordination,
} from '../src/index.ts';
import { RedisCoordination } from '../src/redis/coordination.ts';

const skip = redisMissing() ?? false;
let server: RedisServer;

before(async () => {
  if (skip === false) server = await startRedis();
});
after(() => server?.[Symbol.asyncDispose]());

if (skip === false) {
  let drivers = 0;
  conformance('Redis', async () => {
    const prefix = `test-${drivers++}`;
    const opened = new Set<Coordination>();
    const connect = async (): Promise<Coordination> => {
      const coordination = new RedisCoordination({ url: server.url, prefix, lockMs: 500 });
      await coordination.started();
      opened.add(coordination);
      return coordination;
    };
    return {
      connect,
      crash: async (coordination) => {
        // Its connections end and never come back: to the server that is a process that died.
        assert.ok(coordination instanceof RedisCoordination);
        coordination.client.close();
        return connect();
      },
      dispose: async () => {
        for (const one of opened) await one.close();
      },
    };
  });
}

suite('redis', { skip }, () => {
  test('every key has an end, under the prefix of its fleet', async () => {
    await using here = await openCoordination({ url: server.url, prefix: 'fleet-7' });
    let runs = 0;
    await using _ = await here.process('q', async ({ id }) => {
      runs++;
      if (id === 'bad') throw new Error('no');
    });
    await here.add(job('good'));
    await here.add(job('bad', { attempts: 1 }));
    await here.add(job('later', { runAt: Date.now() + 50_000 }));
    await here.acquire('l', 'o', 1000);
    await here.take('k', { rate: 1, burst: 1 });
    await here.once('k', 1000);
    await here.count('k', 1, 1000);
    await until('both ran', async () => runs === 2 && (await here.counts('q')).active === 0);
    const client = new Redis(server.url);
    try {
      const endless = async (): Promise<string[]> => {
        const keys = (await client.keys('*')).filter((key) => key.startsWith('fleet-7:'));
        assert.ok(keys.length >= 10, keys.join(' '));
        const ends = await Promise.all(keys.map((key) => client.pttl(key)));
        return keys.filter((_key, i) => ends[i] === -1);
      };
      let left: string[] = [];
      await until(`every key has an end: ${left}`, async () => {
        left = await endless();
        return left.length === 0;
      });
    } finally {
      client.disconnect();
    }
  });

  test('killed and started again, empty: calls fail by their deadline and count, then all goes on by itself', async () => {
    await using own = await startRedis();
    await using here = await openCoordination({ url: own.url, deadlineMs: 500 });
    const runs: string[] = [];
    await using _ = await here.process('q', async ({ id }) => void runs.push(id));
    await here.add(job('a'));
    await until('the first ran', () => runs.length === 1);
    const held = await here.acquire('l', 'o', 60_000);
    await own.stop('SIGKILL');
    await until('the loss was noticed', () => here.stats().up === 0);
    await assert.rejects(here.take('k', { rate: 1, burst: 1 }), CoordinationAwayError);
    await assert.rejects(here.add(job('b')), { code: 'ERR_COORDINATION_AWAY', fate: 'retriable' });
    assert.ok(here.stats().failures.away >= 2);
    await own.start();
    await until('it is there again', () => here.stats().up === 1);
    assert.ok(held !== null);
    assert.equal(await here.renew(held, 1000), false);
    const again = await here.acquire('l', 'o', 60_000);
    assert.ok(again !== null && again.token > held.token, 'the fence ascends over a loss');
    await here.add(job('b'));
    await until('the second ran', () => runs.includes('b'));
    assert.equal(here.stats().reconnects, 1);
  });

  test('flushed under a worker: the next jobs run as if nothing had been', async () => {
    await using own = await startRedis();
    await using here = await openCoordination({ url: own.url });
    const runs: string[] = [];
    await using _ = await here.process('q', async ({ id }) => void runs.push(id));
    for (let i = 0; i < 5; i++) {
      await here.add(job(`a${i}`));
      await own.flush();
      await here.add(job(`b${i}`));
    }
    await until('those after each flush ran', () => runs.filter((id) => id.startsWith('b')).length === 5);
  });

  test('a job that was handed out as the connection broke is run, though it is added again and again', async () => {
    await using own = await startRedis();
    await using network = await startTcpProxy(own.port);
    await using there = new RedisCoordination({ url: own.url });
    await using here = new RedisCoordination({ url: `redis://${network.address}`, lockMs: 500 });
    await Promise.all([there.started(), here.started()]);
    const runs: string[] = [];
    await using _ = await here.process('q', async ({ id }) => void runs.push(id));
    await there.add(job('before'));
    await until('the worker is there', () => runs.length === 1);
    // To the server it is in hand while its worker has not heard of it.
    await network.set({ latencyMs: 1000 });
    await there.add(job('a'));
    await until('it is on its way', async () => (await there.counts('q')).active === 1);
    network.cut();
    await network.set({});
    await until('it ran', async () => {
      await there.add(job('a'));
      return runs.includes('a');
    });
  });

  test('frozen: a call ends by its deadline, and nothing piles up', async () => {
    await using own = await startRedis();
    await using here = await openCoordination({ url: own.url, deadlineMs: 1000 });
    own.signal('SIGSTOP');
    await assert.rejects(here.once('k', 1000), CoordinationAwayError);
    assert.equal(here.stats().failures.timeout, 1);
    own.signal('SIGCONT');
    await until('it answers', () => here.once('other', 1000).catch(() => false));
  });

  test('not there at the start: opening does not fail, and it is used once it comes', async () => {
    await using own = await startRedis();
    await own.stop('SIGKILL');
    await using here = await openCoordination({ url: own.url, deadlineMs: 1000 });
    const runs: string[] = [];
    await using _ = await here.process('q', async ({ id }) => void runs.push(id));
    await assert.rejects(here.add(job('a')), CoordinationAwayError);
    await own.start();
    await until('it is there', () => here.stats().up === 1);
    await here.add(job('a'));
    await until('it ran', () => runs.length === 1);
  });

  test('out of memory: it says so, and refuses', async () => {
    await using own = await startRedis();
    await using here = await openCoordination({ url: own.url });
    const client = new Redis(own.url);
    await client.config('SET', 'maxmemory', '1');
    client.disconnect();
    await assert.rejects(here.once('k', 1000), CoordinationRefusedError);
    await assert.rejects(here.take('k', { rate: 1, burst: 1 }), CoordinationRefusedError);
    assert.equal(here.stats().failures.error, 2);
  });

  test('with a password: the right one works, a wrong one is told without showing it', async () => {
    await using own = await startRedis({ password: 'corr:ect horse' });
    await using here = await openCoordination({ url: own.url });
    assert.equal(await here.once('k', 1000), true);
    const url = own.url.replace(/:[^:@]*@/, '');
    await using same = await openCoordination({ url, password: 'corr:ect horse' });
    assert.equal(await same.once('k', 1000), false);
    const warned: string[] = [];
    const told = (facts: object, message: string): void =>
      void warned.push(`${message} ${JSON.stringify(facts)} ${String((facts as { err?: unknown }).err)}`);
    const log = { info: told, warn: told, error: told };
    await using other = await openCoordination({ url, password: 'battery-staple', deadlineMs: 300, log });
    await assert.rejects(other.once('k', 1000));
    await until('it was told', () => warned.some((line) => /WRONGPASS|NOAUTH/.test(line)));
    assert.ok(!warned.join().includes('battery'));
  });

  test('over TLS: a server that the authority vouches for is used, another one is not', async () => {
    const ca = await createTestCa();
    const { key, certificate: cert } = await ca.issue('localhost');
    const { port } = new URL(server.url);
    const sockets = new Set<{ destroy(): unknown }>();
    // Redis behind what ends TLS, as in most clouds.
    const terminator = createServer({ key, cert }, (from) => {
      const to = createConnection(Number(port), '127.0.0.1');
      for (const socket of [from, to]) {
        sockets.add(socket);
        socket.on('error', () => socket.destroy());
      }
      from.pipe(to).pipe(from);
    });
    await new Promise<void>((resolve) => terminator.listen(0, '127.0.0.1', resolve));
    const url = `rediss://localhost:${(terminator.address() as AddressInfo).port}`;
    try {
      await using here = await openCoordination({ url, ca: ca.certificate, prefix: 'tls' });
      assert.equal(await here.once('k', 1000), true);
      const warned: object[] = [];
      const log = { info: () => {}, warn: (facts: object) => void warned.push(facts), error: () => {} };
      await using other = await openCoordination({ url, prefix: 'tls', deadlineMs: 300, log });
      await assert.rejects(other.once('k', 1000), CoordinationAwayError);
      assert.match(JSON.stringify(warned), /certificate/);
    } finally {
      terminator.close();
      for (const socket of sockets) socket.destroy();
    }
  });

  for (const url of ['', 'http://127.0.0.1:1', 'redis://:secret@host:port', '127.0.0.1:6379', 'redis://h/x']) {
    test(`the url ${JSON.stringify(url)} is refused without showing it`, async () => {
      await assert.rejects(openCoordination({ url }), (error: Error) => {
        assert.ok(error instanceof BadArgumentError);
        assert.ok(!error.message.includes('secret'));
        return true;
      });
    });
  }

  test('two clients on a busy bucket get no more than it gives', async () => {
    await using a = await openCoordination({ url: server.url, prefix: 'busy' });
    await using b = await openCoordination({ url: server.url, prefix: 'busy' });
    const started = performance.now();
    let granted = 0;
    for (let round = 0; round < 40; round++) {
      const bucket = { rate: 20, burst: 10 };
      const taken = await Promise.all([a, b, a, b].map((one) => one.take('k', bucket)));
      granted += taken.filter((one) => one.granted).length;
      await sleep(10);
    }
    const most = 10 + (20 * (performance.now() - started)) / 1000 + 1;
    assert.ok(granted >= 10 && granted <= most, `${granted} of at most ${most}`);
  });
});
