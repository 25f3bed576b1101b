import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { alertItem, incidentItem, type Received, sendOnce, sinkOf, startReceiver } from '../support.ts';
import { HOSTILE, hostileItem } from './hostile.ts';
import { readmeBlocks } from './readme.ts';

const CUSTOMER = '00000000-0000-4000-8000-000000000003';
const ACCOUNT = 'ringfence@project.iam.gserviceaccount.example';
const SCOPE = 'https://www.googleapis.com/auth/malachite-ingestion';

interface Answer {
  readonly status: number;
  readonly body?: object;
}

/** Google's token endpoint and the ingestion API of SecOps, as published. */
class SecOps {
  url = '';
  readonly entries: { readonly log_text: string; readonly ts_epoch_microseconds: number }[] = [];
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  answer = ({ path, headers, body }: Received): Answer => {
    if (path === '/token') return this.#token(new URLSearchParams(body));
    const error = (status: number, message: string): Answer => ({ status, body: { error: { code: status, message } } });
    if (headers.authorization !== 'Bearer ya29.token') return error(401, 'UNAUTHENTICATED');
    if (path !== '/v2/unstructuredlogentries:batchCreate') return error(404, 'NOT_FOUND');
    if (Buffer.byteLength(body) > 1_048_576) return error(413, 'too large');
    const { customer_id: customer, log_type: type, entries } = JSON.parse(body);
    if (customer !== CUSTOMER || type !== 'OCSF') return error(400, 'INVALID_ARGUMENT');
    this.entries.push(...entries);
    return { status: 200, body: {} };
  };

  #token(form: URLSearchParams): Answer {
    const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    const { iss, scope, aud, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const isSigned = verify(
      'RSA-SHA256',
      Buffer.from(`${header}.${claims}`),
      this.#key,
      Buffer.from(signature, 'base64url'),
    );
    const isBearer = form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    const isRight = iss === ACCOUNT && scope === SCOPE && aud === `${this.url}/token` && exp - iat === 3600;
    if (!isSigned || !isBearer || !isRight) return { status: 400, body: { error: 'invalid_grant' } };
    return { status: 200, body: { access_token: 'ya29.token', expires_in: 3599, token_type: 'Bearer' } };
  }
}

suite('Google SecOps', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-secops-'));
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  after(() => rmSync(directory, { recursive: true }));
  const far = new SecOps(keys.publicKey);

  const yamlOf = (url: string, privateKey = keys.privateKey, customer = CUSTOMER): string => {
    far.url = url;
    const file = join(directory, 'key.json');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const account = { type: 'service_account', private_key_id: 'k1', client_email: ACCOUNT, token_uri: `${url}/token` };
    writeFileSync(file, JSON.stringify({ ...account, private_key: pem }, null, 2), { mode: 0o600 });
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
