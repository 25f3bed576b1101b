import assert from 'node:assert/strict';
import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { memoryBus } from '@ringfence/testkit/agent';
import type { LogReader } from '../src/log-reader.ts';
import { LogPlace, linesOn, startReader } from './support.ts';

const TOKEN = 'a-token-of-the-test';
const alerts = { listen: { host: '127.0.0.1', port: 0 }, token: TOKEN };
const bearer = { authorization: `Bearer ${TOKEN}` };

async function portOf(reader: LogReader): Promise<number> {
  while (reader.alertPort === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  return reader.alertPort;
}

const post = async (reader: LogReader, body: string, headers: Record<string, string> = bearer): Promise<number> =>
  (await fetch(`http://127.0.0.1:${await portOf(reader)}/`, { method: 'POST', body, headers })).status;

describe('alerts of other sensors', () => {
  it('are on the bus as they came, with the time that they state', async () => {
    using place = new LogPlace();
    const bus = await memoryBus();
    await using reader = startReader(place, bus, { files: [], alerts });
    const time = new Date(Date.now() - 5000).toISOString();
    const alert = JSON.stringify({ rule: 'Write below etc', priority: 'Error', time, output: 'with\na line "break"' });
    assert.equal(await post(reader, alert), 200);
    const [document] = await linesOn(bus, 1);
    assert.equal(document?.message, alert);
    assert.equal(Date.parse(document['@timestamp']), Date.parse(time));
    assert.deepEqual(document.input, { type: 'http_endpoint' });
    assert.equal(document.ringfence.sequence, 1);
  });

  it('may have the token as the password of the URL, as curl sends it', async () => {
    using place = new LogPlace();
    const bus = await memoryBus();
    await using reader = startReader(place, bus, { files: [], alerts });
    const basic = (login: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(login).toString('base64')}`,
    });
    assert.equal(await post(reader, '{"rule":"a"}', basic(`falco:${TOKEN}`)), 200);
    for (const headers of [basic('falco:wrong'), basic('falco:'), { authorization: 'Bearer wrong' }, {}])
      assert.equal(await post(reader, '{"rule":"b"}', headers as Record<string, string>), 401);
    assert.deepEqual(
      (await linesOn(bus, 1)).map(({ message }) => message),
      ['{"rule":"a"}'],
    );
    assert.equal(reader.stats().logEvents['alerts_denied'], 4);
  });

  it('are taken with the token of a file, which can be changed; an empty or missing one lets nobody in', async () => {
    using place = new LogPlace();
    const bus = await memoryBus();
    const tokenFile = join(place.stateDir, 'falco-token');
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    await using reader = startReader(place, bus, { files: [], alerts: { listen: alerts.listen, tokenFile } });
    assert.equal(await post(reader, '{"rule":"a"}'), 200);
    writeFileSync(tokenFile, 'another');
    assert.equal(await post(reader, '{"rule":"b"}'), 401);
    assert.equal(await post(reader, '{"rule":"c"}', { authorization: 'Bearer another' }), 200);
    writeFileSync(tokenFile, '\n');
    for (const authorization of ['Bearer ', 'Bearer another', `Basic ${Buffer.from('falco:').toString('base64')}`])
      assert.equal(await post(reader, '{"rule":"d"}', { authorization }), 503);
    unlinkSync(tokenFile);
    assert.equal(await post(reader, '{"rule":"e"}', { authorization: 'Bearer another' }), 503);
    assert.deepEqual(
      (await linesOn(bus, 2)).map(({ message }) => message),
      ['{"rule":"a"}', '{"rule":"c"}'],
    );
    assert.equal(reader.stats().logEvents['alerts_refused'], 4);
  });

  it('are not taken when the file of the token can not be read: the start says which', async () => {
    using place = new LogPlace();
    const bus = await memoryBus();
    const reader = startReader(place, bus, {
      files: [],
      alerts: { listen: alerts.listen, tokenFile: '/nowhere/token' },
    });
    await assert.rejects(reader.done, /collector\.alerts\.tokenFile: \/nowhere\/token cannot be read: ENOENT/);
  });

  it('stay readable when they are too long for a line', async () => {
    using place = new LogPlace();
    const bus = await memoryBus();
    await using reader = startReader(place, bus, { files: [], alerts });
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`field${i}`, 'y'.repeat(100)]));
    const long = { rule: 'Long', priority: 'Error', output: 'x'.repeat(60_000), output_fields: { 'proc.pid': 7 } };
    const wide = { rule: 'Wide', priority: 'Error', output_fields: many };
    for (const alert of [long, wide]) assert.equal(await post(reader, JSON.stringify(alert)), 200);
    const documents = await linesOn(bus, 2);
    assert.deepEqual(
      documents.map(({ message }) => JSON.parse(message).rule),
      ['Long', 'Wide'],
    );
    assert.equal(JSON.parse(documents[0]!.message).output_fields['proc.pid'], 7);
    assert.deepEqual(documents[0]?.log.flags, ['truncated']);
  });

  it('that are no JSON objects, or too large, are refused and counted', async () => {
    using place = new LogPlace();
    const bus = await memoryBus();
    await using reader = startReader(place, bus, { files: [], alerts });
    for (const body of ['', 'null', '[1]', '{"rule":', '"text"', '\u0000']) assert.equal(await post(reader, body), 400);
    assert.equal(await post(reader, `{"rule":"${'x'.repeat(1024 * 1024)}"}`), 413);
    const counts = { alerts_malformed: 6, alerts_too_long: 1 };
    assert.deepEqual(reader.stats().logEvents, counts);
  });

  it('wait for the disk and the bus: none that was confirmed is missing', async () => {
    using place = new LogPlace();
    const bus = await memoryBus();
    const sent = Array.from({ length: 300 }, (_, i) => `{"rule":"r","n":${i}}`);
    const confirmed: string[] = [];
    for (const half of [sent.slice(0, 150), sent.slice(150)]) {
      await using reader = startReader(place, bus, { files: [], alerts });
      for (let at = 0; at < half.length; at += 30) {
        const some = half.slice(at, at + 30);
        const statuses = await Promise.all(some.map((body) => post(reader, body)));
        confirmed.push(...some.filter((_, i) => statuses[i] === 200));
      }
    }
    const found = (await linesOn(bus, confirmed.length)).map(({ message }) => message);
    assert.deepEqual(found.toSorted(), confirmed.toSorted());
    assert.equal(confirmed.length, sent.length);
  });

  it('end the reader when their port is taken', async () => {
    using place = new LogPlace();
    using other = new LogPlace();
    const bus = await memoryBus();
    await using reader = startReader(place, bus, { files: [], alerts });
    const port = await portOf(reader);
    const second = startReader(other, bus, { files: [], alerts: { ...alerts, listen: { host: '127.0.0.1', port } } });
    await assert.rejects(second.done, { code: 'EADDRINUSE' });
  });
});
