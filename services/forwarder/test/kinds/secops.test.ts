import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { alertItem, incidentItem, sendOnce, sinkOf, startReceiver } from '../support.ts';
import { HOSTILE, hostileItem } from './hostile.ts';
import { readmeBlocks } from './readme.ts';
import { accountFile, CUSTOMER, SecOps } from './secops-server.ts';

suite('Google SecOps', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-secops-'));
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  after(() => rmSync(directory, { recursive: true }));
  const far = new SecOps(keys.publicKey);

  const yamlOf = (url: string, privateKey = keys.privateKey, customer = CUSTOMER): string => {
    far.url = url;
    const file = join(directory, 'key.json');
    writeFileSync(file, accountFile(url, privateKey), { mode: 0o600 });
    return `{sink: g, type: secops, url: '${url}', customer: ${customer}, credentials: ${file}}`;
  };

  test('gets each record as an OCSF entry, by a token for which the service account has signed', async () => {
    await using receiver = await startReceiver(far.answer);
    const items = [alertItem(1), incidentItem(1), ...HOSTILE.map((text, i) => hostileItem(i + 10, text))];
    await sendOnce(yamlOf(receiver.url), items);
    assert.deepEqual(
      far.entries.map(({ log_text: text }) => JSON.parse(text).metadata.uid),
      items.map(({ id }) => id),
    );
    assert.equal(far.entries[0]?.ts_epoch_microseconds, items[0]!.at);
  });

  test('is tried again when it refuses the key, the file or the customer', async () => {
    await using receiver = await startReceiver(far.answer);
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    await assert.rejects(sendOnce(yamlOf(receiver.url, other), [alertItem(1)]), {
      code: 'ERR_SINK_UNAVAILABLE',
      message: /no access token: .*invalid_grant.*check the credentials/,
    });
    await assert.rejects(sendOnce(yamlOf(receiver.url, keys.privateKey, CUSTOMER.replace('3', '4')), [alertItem(1)]), {
      code: 'ERR_SINK_UNAVAILABLE',
      message: /INVALID_ARGUMENT.*check customer and logType/,
    });
    const yaml = yamlOf(receiver.url);
    for (const content of ['{"client_email":"a"}', 'no JSON', '{"private_key":"SECRET"}']) {
      writeFileSync(join(directory, 'key.json'), content);
      await assert.rejects(sendOnce(yaml, [alertItem(1)]), (error: Error & { code: string; fate: string }) => {
        assert.deepEqual([error.code, error.fate], ['ERR_SINK_SECRET', 'retriable']);
        assert.doesNotMatch(error.message, /SECRET"/);
        return true;
      });
    }
  });

  test('refuses an entry that is too large, and only that one', async () => {
    await using receiver = await startReceiver(far.answer);
    await assert.rejects(sendOnce(yamlOf(receiver.url), [alertItem(1, { output: 'x'.repeat(2 ** 20) })]), {
      code: 'ERR_SINK_REFUSED',
      message: /413/,
    });
  });

  test('has right settings in its README', () => {
    assert.deepEqual(
      readmeBlocks('secops', 'yaml').map((text) => sinkOf(text).kind.type),
      ['secops'],
    );
  });
});
