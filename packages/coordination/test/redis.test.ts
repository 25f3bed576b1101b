import assert from 'node:assert/strict';
import { type AddressInfo, createConnection } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { silentLog } from '@ringfence/base';
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
        // To the server, closing the connections for good looks like a crash of the process.
        assert.ok(coordination instanceof RedisCoordination);
        coordination.client.close();
        return connect();
      },
      dispose: async () => {
        for (const coordination of opened) await coordination.close();
      },
    };
  });
}

suite('redis', { skip }, () => {
  test('every key has the prefix of its fleet and expires', async () => {
    await using coordination = await openCoordination({ url: server.url, prefix: 'fleet-7' });
    let runs = 0;
    await using _ = await coordination.process('q', async ({ id }) => {
      runs++;
      if (id === 'bad') throw new Error('no');
    });
    await coordination.add(job('good'));
    await coordination.add(job('bad', { attempts: 1 }));
    await coordination.add(job('later', { runAt: Date.now() + 50_000 }));
    await coordination.acquire('l', 'o', 1000);
    await coordination.take('k', { rate: 1, burst: 1 });
    await coordination.once('k', 1000);
    await coordination.count('k', 1, 1000);
    await until('both jobs ran', async () => runs === 2 && (await coordination.counts('q')).active === 0);
    const client = new Redis(server.url);
    try {
      const findEndlessKeys = async (): Promise<string[]> => {
        const keys = (await client.keys('*')).filter((key) => key.startsWith('fleet-7:'));
        assert.ok(keys.length >= 10, keys.join(' '));
        const ends = await Promise.all(keys.map((key) => client.pttl(key)));
        return keys.filter((_key, i) => ends[i] === -1);
      };
      await until('every key expires', async () => (await findEndlessKeys()).length === 0);
    } finally {
      client.disconnect();
    }
  });

  test('after a crash that loses all data: calls fail and are counted, then work again without a restart', async () => {
    await using redis = await startRedis();
    await using coordination = await openCoordination({ url: redis.url, deadlineMs: 500 });
    const runs: string[] = [];
    await using _ = await coordination.process('q', async ({ id }) => void runs.push(id));
    await coordination.add(job('a'));
    await until('the first job ran', () => runs.length === 1);
    const held = await coordination.acquire('l', 'o', 60_000);
    await redis.stop('SIGKILL');
    await until('the lost connection was detected', () => coordination.stats().up === 0);
    await assert.rejects(coordination.take('k', { rate: 1, burst: 1 }), CoordinationAwayError);
    await assert.rejects(coordination.add(job('b')), { code: 'ERR_COORDINATION_AWAY', fate: 'retriable' });
    assert.ok(coordination.stats().failures.away >= 2);
    await redis.start();
    await until('Redis is reachable again', () => coordination.stats().up === 1);
    assert.ok(held !== null);
    assert.equal(await coordination.renew(held, 1000), false);
    const again = await coordination.acquire('l', 'o', 60_000);
    assert.ok(again !== null && again.token > held.token, 'tokens ascend after a loss of data');
    await coordination.add(job('b'));
    await until('the second job ran', () => runs.includes('b'));
    assert.equal(coordination.stats().reconnects, 1);
  });

  test('after a flush: a worker runs the jobs that are added next', async () => {
    await using redis = await startRedis();
    await using coordination = await openCoordination({ url: redis.url });
    const runs: string[] = [];
    await using _ = await coordination.process('q', async ({ id }) => void runs.push(id));
    for (let i = 0; i < 5; i++) {
      await coordination.add(job(`a${i}`));
      await redis.flush();
      await coordination.add(job(`b${i}`));
    }
    await until('the job after each flush ran', () => runs.filter((id) => id.startsWith('b')).length === 5);
  });

  test('a job whose delivery was lost with the connection runs, even if it is added again meanwhile', async () => {
    await using redis = await startRedis();
    await using network = await startTcpProxy(redis.port);
    await using peer = new RedisCoordination({ url: redis.url });
    await using coordination = new RedisCoordination({ url: `redis://${network.address}`, lockMs: 500 });
    await Promise.all([peer.started(), coordination.started()]);
    const runs: string[] = [];
    await using _ = await coordination.process('q', async ({ id }) => void runs.push(id));
    await peer.add(job('before'));
    await until('the worker is connected', () => runs.length === 1);
    // For the server the job is running, but its worker has not received it yet.
    await network.set({ latencyMs: 1000 });
    await peer.add(job('a'));
    await until('the job is being delivered', async () => (await peer.counts('q')).active === 1);
    network.cut();
    await network.set({});
    await until('the job ran', async () => {
      await peer.add(job('a'));
      return runs.includes('a');
    });
  });

  test('while Redis is frozen: a call fails by its deadline', async () => {
    await using redis = await startRedis();
    await using coordination = await openCoordination({ url: redis.url, deadlineMs: 1000 });
    redis.signal('SIGSTOP');
    await assert.rejects(coordination.once('k', 1000), CoordinationAwayError);
    assert.equal(coordination.stats().failures.timeout, 1);
    redis.signal('SIGCONT');
    await until('Redis answers', () => coordination.once('other', 1000).catch(() => false));
  });

  test('unreachable at the start: opening succeeds, and calls work once Redis starts', async () => {
    await using redis = await startRedis();
    await redis.stop('SIGKILL');
    await using coordination = await openCoordination({ url: redis.url, deadlineMs: 1000 });
    const runs: string[] = [];
    await using _ = await coordination.process('q', async ({ id }) => void runs.push(id));
    await assert.rejects(coordination.add(job('a')), CoordinationAwayError);
    await redis.start();
    await until('Redis is reachable', () => coordination.stats().up === 1);
    await coordination.add(job('a'));
    await until('the job ran', () => runs.length === 1);
  });

  test('out of memory: calls are refused and counted as errors', async () => {
    await using redis = await startRedis();
    await using coordination = await openCoordination({ url: redis.url });
    const client = new Redis(redis.url);
    await client.config('SET', 'maxmemory', '1');
    client.disconnect();
    await assert.rejects(coordination.once('k', 1000), CoordinationRefusedError);
    await assert.rejects(coordination.take('k', { rate: 1, burst: 1 }), CoordinationRefusedError);
    assert.equal(coordination.stats().failures.error, 2);
  });

  test('the right password works, and a wrong password is logged as refused but not shown', async () => {
    await using redis = await startRedis({ password: 'corr:ect horse' });
    await using coordination = await openCoordination({ url: redis.url });
    assert.equal(await coordination.once('k', 1000), true);
    const url = redis.url.replace(/:[^:@]*@/, '');
    await using same = await openCoordination({ url, password: 'corr:ect horse' });
    assert.equal(await same.once('k', 1000), false);
    const warned: string[] = [];
    const record = (facts: object, message: string): void =>
      void warned.push(`${message} ${JSON.stringify(facts)} ${String((facts as { err?: unknown }).err)}`);
    const log = { ...silentLog, info: record, warn: record, error: record };
    await using rejected = await openCoordination({ url, password: 'battery-staple', deadlineMs: 300, log });
    await assert.rejects(rejected.once('k', 1000));
    await until('the refusal was logged', () => warned.some((line) => /WRONGPASS|NOAUTH/.test(line)));
    assert.ok(!warned.join().includes('battery'));
  });

  test('over TLS: only a server with a certificate of the configured CA is trusted', async () => {
    const ca = await createTestCa();
    const { key, certificate: cert } = await ca.issue('localhost');
    const { port } = new URL(server.url);
    const sockets = new Set<{ destroy(): unknown }>();
    // A proxy terminates TLS in front of Redis, as in most clouds.
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
      await using coordination = await openCoordination({ url, ca: ca.certificate, prefix: 'tls' });
      assert.equal(await coordination.once('k', 1000), true);
      const warned: object[] = [];
      const log = { ...silentLog, warn: (facts: object) => void warned.push(facts) };
      await using rejected = await openCoordination({ url, prefix: 'tls', deadlineMs: 300, log });
      await assert.rejects(rejected.once('k', 1000), CoordinationAwayError);
      assert.match(JSON.stringify(warned), /certificate/);
    } finally {
      terminator.close();
      for (const socket of sockets) socket.destroy();
    }
  });

  for (const url of ['', 'http://127.0.0.1:1', 'redis://:secret@host:port', '127.0.0.1:6379', 'redis://h/x']) {
    test(`the URL ${JSON.stringify(url)} is refused and not shown`, async () => {
      await assert.rejects(openCoordination({ url }), (error: Error) => {
        assert.ok(error instanceof BadArgumentError);
        assert.ok(!error.message.includes('secret'));
        return true;
      });
    });
  }

  test('two clients of a busy bucket get no more tokens than its rate and burst allow', async () => {
    await using a = await openCoordination({ url: server.url, prefix: 'busy' });
    await using b = await openCoordination({ url: server.url, prefix: 'busy' });
    const started = performance.now();
    let granted = 0;
    for (let round = 0; round < 40; round++) {
      const bucket = { rate: 20, burst: 10 };
      const taken = await Promise.all([a, b, a, b].map((coordination) => coordination.take('k', bucket)));
      granted += taken.filter((result) => result.granted).length;
      await sleep(10);
    }
    const max = 10 + (20 * (performance.now() - started)) / 1000 + 1;
    assert.ok(granted >= 10 && granted <= max, `${granted} of at most ${max}`);
  });
});
