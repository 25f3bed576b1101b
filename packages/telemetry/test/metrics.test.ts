import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import {
  createLogger,
  defineEvent,
  exposeStats,
  MetricLabelError,
  Metrics,
  MetricsListenError,
  serveMetrics,
} from '../src/index.ts';

const ANY = { host: '127.0.0.1', port: 0 };

describe('Metrics', () => {
  it('show every label of a counter at 0 before it first counts', async () => {
    const metrics = new Metrics('bus');
    const drops = metrics.counter('drops_total', 'Records dropped.', {
      cause: ['age', 'size'],
      lane: ['security', 'bulk'],
    });
    drops.add({ cause: 'age', lane: 'bulk' }, 2);
    const text = await metrics.registry.metrics();
    assert.match(text, /ringfence_bus_drops_total\{cause="age",lane="bulk"\} 2/);
    assert.match(text, /ringfence_bus_drops_total\{cause="size",lane="security"\} 0/);
  });

  it('refuse a label outside of its set', () => {
    const drops = new Metrics('bus').counter('drops_total', 'Records dropped.', { cause: ['age'] });
    const fromOutside: string = 'pid-4711';
    assert.throws(
      () => drops.add({ cause: fromOutside as 'age' }),
      (error) => error instanceof MetricLabelError && error.code === 'ERR_METRIC_LABEL',
    );
  });

  it('read what is kept elsewhere when somebody looks', async () => {
    const metrics = new Metrics('sensor');
    let lost = 1;
    metrics.observedTotal('lost_total', 'Lost.', { cause: ['ring_full', 'scratch'] }, () => [
      [{ cause: 'ring_full' }, lost],
    ]);
    await metrics.registry.metrics();
    lost = 5;
    const text = await metrics.registry.metrics();
    assert.match(text, /lost_total\{cause="ring_full"\} 5/);
    assert.match(text, /lost_total\{cause="scratch"\} 0/);
  });
});

describe('exposeStats', () => {
  it('shows what a service counts itself, as it is at each look', async () => {
    const stats = { deadLetters: 1, refusals: { stale: 2, 'rate-limited': 0 } };
    const { registry } = exposeStats('responder', () => stats);
    stats.deadLetters = 4;
    const text = await registry.metrics();
    assert.match(text, /^ringfence_responder_dead_letters 4$/m);
    assert.match(text, /^ringfence_responder_refusals\{by="stale"\} 2$/m);
  });
});

describe('a named event', () => {
  it('counts each time and writes a line now and then, saying how many it left out', async () => {
    const written: string[] = [];
    const log = createLogger({ format: 'json', stream: { write: (text) => written.push(text) } });
    const metrics = new Metrics('bus');
    const emit = defineEvent(log, metrics, {
      name: 'records_dropped',
      level: 'error',
      message: 'Records were dropped.',
      labels: { cause: ['age'] },
    });
    emit({ cause: 'age' }, { topic: 'ringfence.raw' }, 10);
    emit({ cause: 'age' });
    emit({ cause: 'age' });
    assert.equal(written.length, 1);
    assert.deepEqual(
      { ...JSON.parse(written[0] ?? ''), time: '' },
      {
        level: 'error',
        time: '',
        event: 'records_dropped',
        cause: 'age',
        topic: 'ringfence.raw',
        count: 10,
        msg: 'Records were dropped.',
      },
    );
    assert.match(await metrics.registry.metrics(), /ringfence_bus_records_dropped_total\{cause="age"\} 12/);
  });

  it('says in its next line how many it left out', () => {
    const written: string[] = [];
    const log = createLogger({ format: 'json', stream: { write: (text) => written.push(text) } });
    const emit = defineEvent(log, new Metrics('bus'), {
      name: 'full',
      level: 'warn',
      message: 'Full.',
      labels: {},
      quietMs: 0,
    });
    emit({});
    emit({});
    assert.equal(written.length, 2);
  });
});

describe('serveMetrics', () => {
  it('serves all services and the process together', async () => {
    const bus = new Metrics('bus');
    bus.gauge('lag_records', 'Records behind.', {}).set({}, 7);
    await using server = await serveMetrics({ listen: ANY, token: '', metrics: () => [bus, new Metrics('detector')] });
    const response = await fetch(`http://127.0.0.1:${server.address.port}/metrics`);
    const text = await response.text();
    assert.equal(response.status, 200);
    assert.match(text, /ringfence_bus_lag_records 7/);
    assert.match(text, /ringfence_process_resident_memory_bytes \d+/);
    assert.match(text, /ringfence_process_cpu_seconds_total\{mode="user"\}/);
  });

  it('asks for its token', async () => {
    await using server = await serveMetrics({ listen: ANY, token: 'hunter2', metrics: () => [] });
    const url = `http://127.0.0.1:${server.address.port}/metrics`;
    const status = async (headers: Record<string, string>) => (await fetch(url, { headers })).status;
    assert.equal(await status({}), 401);
    assert.equal(await status({ authorization: 'Bearer hunter' }), 401);
    assert.equal(await status({ authorization: 'Bearer hunter2' }), 200);
  });

  it('knows no other path and no other method', async () => {
    await using server = await serveMetrics({ listen: ANY, token: '', metrics: () => [] });
    const url = `http://127.0.0.1:${server.address.port}`;
    assert.equal((await fetch(`${url}/`)).status, 404);
    assert.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405);
  });

  it('says what to do when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await assert.rejects(
      serveMetrics({ listen: { host: '127.0.0.1', port }, token: '', metrics: () => [] }),
      (error) => {
        assert.ok(error instanceof MetricsListenError && error.code === 'ERR_METRICS_LISTEN');
        assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}: another program listens there`));
        return true;
      },
    );
    other.close();
  });

  it('closes twice without complaint', async () => {
    const server = await serveMetrics({ listen: ANY, token: '', metrics: () => [] });
    await server.close();
    await server.close();
  });
});

describe('health', () => {
  it('says what is not well, and which part', async () => {
    let waiting: string | null = 'Kafka at 127.0.0.1:9092: connection refused';
    await using server = await serveMetrics({
      listen: ANY,
      token: 'secret',
      metrics: () => [],
      health: { live: () => ({ enricher: null }), ready: async () => ({ enricher: null, bus: waiting }) },
    });
    const { host, port } = server.address;
    const ask = async (path: string): Promise<[number, unknown]> => {
      const response = await fetch(`http://${host}:${port}${path}`);
      return [response.status, await response.json()];
    };
    assert.deepEqual(await ask('/healthz'), [200, { status: 'ok', checks: { enricher: null } }]);
    assert.deepEqual(await ask('/readyz'), [503, { status: 'unavailable', checks: { enricher: null, bus: waiting } }]);
    waiting = null;
    assert.deepEqual(await ask('/readyz'), [200, { status: 'ok', checks: { enricher: null, bus: null } }]);
  });
});
