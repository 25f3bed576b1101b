import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { createTestCa, type Mail, startSmtpServer, type TestCertificate } from '@ringfence/dev-servers/in-process';
import { createContext, incidentItem, sendOnce } from '../support.ts';

process.env['RF_TEST_MAIL'] = 'pässword';

/** The value of a header, unfolded; undefined: there is none. Fails if there are two. */
function headerOf({ source }: Mail, name: string): string | undefined {
  const [head = ''] = source.split('\r\n\r\n');
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  const values = lines.filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  assert.ok(values.length <= 1, `${values.length} headers ${name}`);
  return values[0]?.slice(name.length + 1).trim();
}

suite('an email sink', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-email-'));
  let certificate: TestCertificate;
  before(async () => {
    const ca = await createTestCa();
    certificate = await ca.issue('mail');
    writeFileSync(join(directory, 'ca.pem'), ca.certificate);
  });
  after(() => rmSync(directory, { recursive: true }));

  const sinkAt = (scheme: string, port: number, more = ''): string =>
    `{sink: mail, type: email, url: '${scheme}://localhost:${port}', ca: ${directory}/ca.pem, from: ringfence@x.example,` +
    ` to: [soc@x.example, ciso@x.example]${more}}`;

  test('has one thread for 200 versions of an incident, with a mail when there is news', async () => {
    await using server = await startSmtpServer({ certificate });
    const context = createContext();
    const send = (...args: Parameters<typeof incidentItem>) =>
      sendOnce(sinkAt('starttls', server.port), [incidentItem(...args)], context);
    for (let version = 1; version <= 200; version++)
      await send(version, { severity: version < 100 ? 'warning' : 'critical' });
    await send(201, { status: 'contained' });
    await send(202, { status: 'closed' });
    const [first, ...rest] = server.mails;
    assert.equal(headerOf(first!, 'Subject'), '[warning] Version 1 of a shell by /bin/sh');
    assert.deepEqual(first?.to, ['soc@x.example', 'ciso@x.example']);
    const root = headerOf(first, 'Message-ID');
    assert.equal(root, `<ringfence.${incidentItem(1).group}@x.example>`);
    assert.deepEqual(
      rest.map((mail) => ['Subject', 'In-Reply-To', 'References'].map((name) => headerOf(mail, name))),
      rest.map(() => ['Re: [warning] Version 1 of a shell by /bin/sh', root, root]),
    );
    assert.deepEqual(
      rest.map(({ source }) => /\r\n\r\n([^:]+):/.exec(source)?.[1]),
      ['Now critical', 'Contained', 'Closed'],
    );
    assert.ok(server.mails.every(({ encrypted }) => encrypted));
  });

  test('gives a mail that is sent again after a crash the same id', async () => {
    await using server = await startSmtpServer({ certificate, secure: true });
    await sendOnce(sinkAt('smtps', server.port), [incidentItem(1)]);
    await sendOnce(sinkAt('smtps', server.port), [incidentItem(1)]);
    const [first, again] = server.mails.map((mail) => headerOf(mail, 'Message-ID'));
    assert.equal(again, first);
  });

  for (const hostile of [
    'x\r\nBcc: evil@x.example\r\n\r\nbody',
    'x\nBcc: evil@x.example',
    'x\rBcc: evil@x.example',
    'x\u2028Bcc: evil@x.example',
    `${'x'.repeat(2 ** 20)}\r\n.\r\nMAIL FROM:<a@b>\r\n`,
    '=?utf-8?q?=0d=0aBcc:_evil@x.example?=',
    '<a@b>, evil@x.example',
  ]) {
    test(`lets the name of a rule add no header, recipient or command: ${JSON.stringify(hostile.slice(-40))}`, async () => {
      await using server = await startSmtpServer({ certificate });
      await sendOnce(sinkAt('starttls', server.port), [
        incidentItem(1, { lead: null, title: hostile, alerts: [], story: [hostile, '.'] }),
      ]);
      assert.equal(server.mails.length, 1);
      const [mail] = server.mails as [Mail];
      assert.deepEqual(mail.to, ['soc@x.example', 'ciso@x.example']);
      assert.equal(headerOf(mail, 'Bcc'), undefined);
      assert.equal(headerOf(mail, 'To'), 'soc@x.example, ciso@x.example');
      assert.ok(headerOf(mail, 'Subject')!.length < 1000);
    });
  }

  test('logs in with a password that is read from where the settings say', async () => {
    await using server = await startSmtpServer({ certificate, users: { ringfence: 'pässword' } });
    const more = ', login: {user: ringfence, password: env:RF_TEST_MAIL}';
    await sendOnce(sinkAt('starttls', server.port, more), [incidentItem(1)]);
    assert.equal(server.mails[0]?.user, 'ringfence');
    const wrong = ', login: {user: nobody, password: env:RF_TEST_MAIL}';
    await assert.rejects(sendOnce(sinkAt('starttls', server.port, wrong), [incidentItem(1)]), (error: Error) => {
      assert.match(error.message, /^sink mail: starttls:\/\/localhost:\d+: .*535 wrong password/);
      assert.doesNotMatch(error.message, /pässword/);
      return true;
    });
  });

  test('sends nothing to a server with another certificate', async () => {
    const other = await (await createTestCa()).issue('mail');
    await using server = await startSmtpServer({ certificate: other });
    await assert.rejects(sendOnce(sinkAt('starttls', server.port), [incidentItem(1)]), {
      code: 'ERR_SINK_UNAVAILABLE',
    });
    assert.deepEqual(server.mails, []);
  });

  test('gives up only the mail that the server refuses for good', async () => {
    await using server = await startSmtpServer({
      certificate,
      refuse: (source) => (source.includes('worm') ? { code: 554, reason: 'looks like spam' } : undefined),
    });
    const items = [incidentItem(1, { lead: null, title: 'worm' }), incidentItem(1, { id: 'other' })];
    const rejections = await sendOnce(sinkAt('starttls', server.port), items);
    assert.match(rejections[0]?.error.message ?? '', /refused: .*554 looks like spam/);
    assert.equal(server.mails.length, 1);
  });

  for (const { code } of [{ code: 451 }, { code: 452 }]) {
    test(`keeps the incident while the server answers ${code}`, async () => {
      await using server = await startSmtpServer({ certificate, refuse: () => ({ code, reason: 'later' }) });
      await assert.rejects(sendOnce(sinkAt('starttls', server.port), [incidentItem(1)]), {
        code: 'ERR_SINK_UNAVAILABLE',
      });
    });
  }

  test('sends a digest as one mail', async () => {
    await using server = await startSmtpServer({ certificate });
    const items = [incidentItem(1), incidentItem(1, { id: 'other', severity: 'emergency', status: 'closed' })];
    await sendOnce(sinkAt('starttls', server.port, ', digest: 1h'), items);
    assert.equal(server.mails.length, 1);
    assert.equal(headerOf(server.mails[0]!, 'Subject'), 'Ringfence: 2 incidents, 1 of them closed');
  });

  test('waits for a server that is away', async () => {
    await assert.rejects(sendOnce(sinkAt('starttls', 1), [incidentItem(1)]), {
      code: 'ERR_SINK_UNAVAILABLE',
      message: /^sink mail: starttls:\/\/localhost:1: .*ECONNREFUSED/,
    });
  });
});
