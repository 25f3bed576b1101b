import type { Received } from '../support.ts';

export const TENANT = '00000000-0000-4000-8000-000000000001';
export const CLIENT = '00000000-0000-4000-8000-000000000002';
export const RULE: string = `dcr-${'a1'.repeat(16)}`;
const STREAM = 'Custom-Ringfence_CL';

interface Answer {
  readonly status: number;
  readonly body?: object;
}

/** Microsoft's token endpoint and its Logs Ingestion API, as published, with one data collection rule. */
export class Azure {
  secret = 'the-secret';
  tokens = 0;
  readonly rows: Record<string, unknown>[] = [];
  readonly #rule: string;

  constructor(rule: string = RULE) {
    this.#rule = rule;
  }

  answer = ({ method, path, headers, body }: Received): Answer => {
    if (path === `/${TENANT}/oauth2/v2.0/token`) return this.#token(new URLSearchParams(body));
    const error = (status: number, code: string): Answer => ({ status, body: { error: { code, message: code } } });
    const url = new URL(path, 'http://x');
    if (headers.authorization !== `Bearer token-${this.tokens}`) return error(401, 'InvalidToken');
    if (method !== 'POST' || url.searchParams.get('api-version') !== '2023-01-01')
      return error(400, 'InvalidApiVersion');
    const [, rule, stream] = /^\/dataCollectionRules\/([^/]+)\/streams\/([^/]+)$/.exec(url.pathname) ?? [];
    if (rule !== this.#rule) return error(404, 'RecordNotFound');
    if (stream !== STREAM) return error(400, 'InvalidStream');
    if (Buffer.byteLength(body) > 1_000_000) return error(413, 'ContentLengthLimitExceeded');
    const rows = JSON.parse(body) as Record<string, unknown>[];
    if (!Array.isArray(rows)) return error(400, 'InvalidRequestFormat');
    this.rows.push(...rows);
    return { status: 204 };
  };

  #token(form: URLSearchParams): Answer {
    if (form.get('grant_type') !== 'client_credentials' || form.get('scope') !== 'https://monitor.azure.com/.default')
      return { status: 400, body: { error: 'invalid_scope' } };
    if (form.get('client_id') !== CLIENT || form.get('client_secret') !== this.secret)
      return { status: 401, body: { error: 'invalid_client', error_description: 'AADSTS7000215' } };
    return { status: 200, body: { token_type: 'Bearer', expires_in: 3599, access_token: `token-${++this.tokens}` } };
  }
}
