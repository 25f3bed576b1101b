import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { type RsyslogServer, rsyslogMissing, startRsyslog } from '@ringfence/dev-servers';
import { openSink } from '../../src/settings/load.ts';
import type { Sink } from '../../src/sink.ts';
import { alertItem, createContext, sinkOf, until } from '../support.ts';

suite('syslog to a real rsyslog', { skip: rsyslogMissing() ?? false }, () => {
  let server: RsyslogServer;
  before(async () => {
    server = await startRsyslog();
  });
  after(() => server[Symbol.asyncDispose]());

  const open = (scheme: keyof RsyslogServer['ports'], more = ''): Sink => {
    const ca = /^(tls|relps)$/.test(scheme) ? `, ca: ${server.caFile}` : '';
    return openSink(
      sinkOf(`{sink: s, type: syslog, url: '${scheme}://127.0.0.1:${server.ports[scheme]}'${ca}${more}}`),
      silentLog,
    );
  };
  /** Messages whose text contains `mark` */
  const marked = (mark: string): string[] =>
    server.messages().flatMap(({ msg = '' }) => (msg.includes(mark) ? [msg] : []));

  for (const scheme of ['tcp', 'tls', 'relp', 'relps', 'udp'] as const) {
    test(`by ${scheme} brings each record, with its fields in the header`, async () => {
      const mark = `over ${scheme}`;
      const items = Array.from({ length: 20 }, (_, i) =>
        alertItem(i, { output: `${mark} ${i}`, priority: 'critical' }),
      );
      const sink = open(scheme);
      await sink.send(items, createContext());
      await until(() => marked(mark).length >= 20, 'twenty messages');
      await sink.close();
      const documents = marked(mark).map((msg) => JSON.parse(msg));
      assert.deepEqual(documents.map((document) => document['ringfence.id']).sort(), items.map(({ id }) => id).sort());
      const message = server.messages().find(({ msg = '' }) => msg.includes(mark));
      assert.deepEqual(
        [message?.['programname'], message?.['syslogseverity'], message?.['syslogfacility'], message?.['msgid']],
        ['ringfence', '2', '16', 'alert'],
      );
      assert.match(String(message?.['structured-data'] ?? message?.['rawmsg']), /origin software="ringfence"/);
    });
  }

  test('keeps one message one message, whatever a command line contains', async () => {
    const hostile = 'a\nb\r\n<0>1 - forged\u0000\u001b[2J|=\\"]é\u{1f4a3}';
    for (const format of ['json', 'cef', 'leef'] as const) {
      const mark = `hostile ${format}`;
      const sink = open('relp', `, format: ${format}`);
      await sink.send([alertItem(1, { output: `${mark} ${hostile}`, rule: `${mark} ${hostile}` })], createContext());
      await until(() => marked(mark).length > 0, 'a message');
      await sink.close();
      assert.equal(marked(mark).length, 1, format);
      // Tabs separate the attributes of LEEF.
      assert.doesNotMatch(marked(mark)[0]!.replaceAll('\t', ''), /\p{Cc}/u);
    }
    assert.deepEqual(
      marked('forged').filter((msg) => msg.trimStart().startsWith('forged')),
      [],
    );
  });

  test('loses nothing by relp when the server is killed with -9 in between', async () => {
    const sink = open('relp', ', timeout: 2s');
    const ids: string[] = [];
    for (let round = 0; round < 6; round++) {
      const items = Array.from({ length: 50 }, (_, i) =>
        alertItem(1000 + round * 50 + i, { output: `chaos ${round}` }),
      );
      ids.push(...items.map(({ id }) => id));
      if (round % 2 === 1) {
        await server.stop('SIGKILL');
        await assert.rejects(sink.send(items, createContext()), { code: 'ERR_SINK_UNAVAILABLE' });
        await server.start();
      }
      await sink.send(items, createContext());
    }
    await sink.close();
    await until(() => new Set(marked('chaos').map((msg) => JSON.parse(msg)['ringfence.id'])).size >= ids.length, 'all');
    assert.deepEqual([...new Set(marked('chaos').map((msg) => JSON.parse(msg)['ringfence.id']))].sort(), ids.sort());
  });

  test('by tls refuses a server with a certificate of somebody else', async () => {
    const sink = openSink(
      sinkOf(`{sink: s, type: syslog, url: 'tls://127.0.0.1:${server.ports.tls}', timeout: 2s}`),
      silentLog,
    );
    await assert.rejects(sink.send([alertItem(1)], createContext()), {
      code: 'ERR_SINK_UNAVAILABLE',
      message: /certificate/,
    });
    await sink.close();
  });
});
