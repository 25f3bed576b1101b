import { z } from 'zod';
import { ENCODERS, encodingSetting } from '../../encode/json.ts';
import { SinkUnavailableError } from '../../errors.ts';
import { HttpClient, oneLine } from '../../http/http-client.ts';
import { AccessToken } from '../../http/oauth.ts';
import { portionsOf } from '../../http/portions.ts';
import { tlsShape } from '../../settings/common.ts';
import { filePath, httpUrl } from '../../settings/values.ts';
import { defineKind, type Item, type SinkKind } from '../../sink.ts';
import { assertionOf, readServiceAccount } from './service-account.ts';

/** A call has at most 1 MB; brackets and commas need some of it. */
const REQUEST_MAX_BYTES = 950_000;
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const shape = {
  /** Address of the ingestion API; each region has its own. */
  url: httpUrl.default('https://malachiteingestion-pa.googleapis.com'),
  ...tlsShape,
  /** Id of the customer */
  customer: z.guid(),
  /** Log type whose parser reads the entries: OCSF, or one of your own */
  logType: z
    .string()
    .regex(/^[A-Z0-9_]{1,64}$/, 'expected a log type such as OCSF')
    .default('OCSF'),
  /** Key file of the service account, JSON */
  credentials: filePath,
  /** Of the entries: ECS, or OCSF 1.8 */
  encoding: encodingSetting.default('ocsf'),
};

/** The ingestion API of Google SecOps (Chronicle). */
export const secops: SinkKind = defineKind({
  type: 'secops',
  title: 'Google SecOps (Chronicle) by its ingestion API',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: 'a server of the tests, after the published API',
  open(settings, { name, common }) {
    const { url, customer, logType, credentials } = settings;
    const base = { sink: name, tls: settings, timeoutMs: common.timeout };
    const http = new HttpClient({ ...base, url, gzip: true });
    let token: AccessToken | undefined;
    const openToken = (): AccessToken =>
      new AccessToken({ ...base, url: readServiceAccount(credentials).token_uri }, () => ({
        grant_type: JWT_BEARER,
        assertion: assertionOf(readServiceAccount(credentials)),
      }));
    const encode = (item: Item): string =>
      JSON.stringify({
        log_text: JSON.stringify(ENCODERS[settings.encoding](item)),
        ts_epoch_microseconds: Math.floor(item.at),
      });
    const post = async (texts: readonly string[], signal: AbortSignal): Promise<void> => {
      token ??= openToken();
      const { status, text } = await http.send({
        path: '/v2/unstructuredlogentries:batchCreate',
        body: `{"customer_id":"${customer}","log_type":"${logType}","entries":[${texts.join(',')}]}`,
        headers: { 'content-type': 'application/json', ...(await token.header(signal)) },
        // The customer or the log type is wrong: an entry may be any text.
        expected: [400],
        signal,
      });
      if (status === 400)
        throw new SinkUnavailableError(name, `${url} answered 400: ${oneLine(text)}; check customer and logType`);
    };
    return {
      async send(items, { signal }) {
        try {
          for (const { texts } of portionsOf(items, encode, REQUEST_MAX_BYTES)) await post(texts, signal);
          return [];
        } catch (error) {
          if (error instanceof SinkUnavailableError) token?.forget();
          throw error;
        }
      },
      close: async () => void (await Promise.all([http.close(), token?.close()])),
    };
  },
});
