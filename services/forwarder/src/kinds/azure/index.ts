import { z } from 'zod';
import { ENCODERS, encodingSetting } from '../../encode/json.ts';
import { summaryOf } from '../../encode/summary.ts';
import { SinkUnavailableError } from '../../errors.ts';
import { HttpClient, oneLine } from '../../http/http-client.ts';
import { AccessToken } from '../../http/oauth.ts';
import { portionsOf } from '../../http/portions.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, readSecret, secret } from '../../settings/values.ts';
import { defineKind, type Item, type SinkKind } from '../../sink.ts';

/** A call has at most 1 MB; brackets and commas need some of it. */
const REQUEST_MAX_BYTES = 950_000;
const API = 'api-version=2023-01-01';
const SCOPE = 'https://monitor.azure.com/.default';

const shape = {
  /** Data collection endpoint: https://NAME.REGION.ingest.monitor.azure.com */
  url: httpUrl,
  ...tlsShape,
  /** Immutable id of the data collection rule */
  rule: z.string().regex(/^dcr-[0-9a-f]{32}$/, 'expected dcr- and 32 hexadecimal digits'),
  /** Stream of the rule */
  stream: z
    .string()
    .regex(/^Custom-\w{1,100}$/, 'expected Custom- and the name of a table')
    .default('Custom-Ringfence_CL'),
  /** Id of the tenant */
  tenant: z.guid(),
  /** Id of the application */
  client: z.guid(),
  /** Secret of the application */
  secret,
  /** Where tokens come from; other clouds than Azure's public one have their own. */
  login: httpUrl.default('https://login.microsoftonline.com'),
  /** Of the column Document: ECS, or OCSF 1.8 */
  encoding: encodingSetting,
};

/** The Logs Ingestion API of Azure Monitor, which Microsoft Sentinel reads. */
export const azure: SinkKind = defineKind({
  type: 'azure',
  title: 'Azure Monitor (Microsoft Sentinel) by its Logs Ingestion API',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: 'a server of the tests, after the published API',
  open(settings, { name, common }) {
    const { url, login, tenant, client, rule, stream } = settings;
    const base = { sink: name, tls: settings, timeoutMs: common.timeout };
    const token = new AccessToken({ ...base, url: `${login.replace(/\/+$/, '')}/${tenant}/oauth2/v2.0/token` }, () => ({
      grant_type: 'client_credentials',
      client_id: client,
      client_secret: readSecret(settings.secret),
      scope: SCOPE,
    }));
    const http = new HttpClient({ ...base, url, gzip: true });
    const encode = (item: Item): string => JSON.stringify(rowOf(item, ENCODERS[settings.encoding](item)));
    const post = async (body: string, signal: AbortSignal): Promise<void> => {
      const { status, text } = await http.send({
        path: `/dataCollectionRules/${rule}/streams/${stream}?${API}`,
        body,
        headers: { 'content-type': 'application/json', ...(await token.header(signal)) },
        // The rule or the stream is wrong, not a record: all have the same columns.
        expected: [400],
        signal,
      });
      if (status === 400) throw new SinkUnavailableError(name, `${url} answered 400: ${oneLine(text)}; check the rule`);
    };
    return {
      async send(items, { signal }) {
        try {
          for (const { texts } of portionsOf(items, encode, REQUEST_MAX_BYTES))
            await post(`[${texts.join(',')}]`, signal);
          return [];
        } catch (error) {
          if (error instanceof SinkUnavailableError) token.forget();
          throw error;
        }
      },
      close: async () => void (await Promise.all([http.close(), token.close()])),
    };
  },
});

/** Columns of the table; `Document` is dynamic. */
function rowOf(item: Item, document: object): Record<string, unknown> {
  const { title, text, priority, host, incidentId } = summaryOf(item);
  return {
    TimeGenerated: new Date(item.at / 1000).toISOString(),
    Id: item.id,
    Kind: item.kind,
    Severity: priority,
    Host: host,
    Title: title,
    Message: text,
    IncidentId: incidentId,
    Document: document,
  };
}
