import { type KeyObject, verify } from 'node:crypto';
import type { Received } from '../support.ts';

export const CUSTOMER = '00000000-0000-4000-8000-000000000003';
const ACCOUNT = 'ringfence@project.iam.gserviceaccount.example';
const SCOPE = 'https://www.googleapis.com/auth/malachite-ingestion';

interface Answer {
  readonly status: number;
  readonly body?: object;
}

/** Google's token endpoint and the ingestion API of SecOps, as published. */
export class SecOps {
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

/** Returns the key file of the service account, whose tokens come from `url`. */
export function accountFile(url: string, privateKey: KeyObject): string {
  const account = { type: 'service_account', private_key_id: 'k1', client_email: ACCOUNT, token_uri: `${url}/token` };
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return JSON.stringify({ ...account, private_key: pem }, null, 2);
}
