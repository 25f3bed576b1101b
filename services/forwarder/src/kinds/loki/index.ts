import { z } from 'zod';
import { encodingSetting } from '../../encode/json.ts';
import { SinkRefusedError, SinkUnavailableError } from '../../errors.ts';
import { authorizationOf, credentialShape } from '../../http/credentials.ts';
import { httpClientOf } from '../../http/http-client.ts';
import { portionsOf } from '../../http/portions.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, line } from '../../settings/values.ts';
import { defineKind, type Item, type SinkKind } from '../../sink.ts';
import { lineOf, streamsOf } from './streams.ts';

/** Loki takes 4 MB, and more by a setting only. */
const REQUEST_MAX_BYTES = 3_000_000;
const NO_CONTENT = 204;
/** What Loki says of an entry that is older than it takes, by its clock or by the newest entry of the stream. */
const TOO_OLD = /too far behind|timestamp too old|out of order/;

const label = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/, 'expected letters, digits and _');

const shape = {
  /** Address without the path, such as https://loki.example:3100. */
  url: httpUrl,
  ...tlsShape,
  ...credentialShape,
  /** Tenant of a Loki that has several. */
  tenant: line.optional(),
  /** Labels of all entries besides `kind` and `level`. Each combination of labels is a stream: keep them few. */
  labels: z.record(label, line).default({ service_name: 'ringfence' }),
  /** Form of the lines: `ecs`, or `ocsf` (1.8). */
  encoding: encodingSetting,
};

/** Grafana Loki's push API. */
export const loki: SinkKind = defineKind({
  type: 'loki',
  title: 'Grafana Loki, as lines of JSON with few labels',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: 'VictoriaLogs; refusals: a server of the tests, after the published API',
  open(settings, { name, common }) {
    const client = httpClientOf({ name, common }, settings, {
      headers: () => ({
        ...authorizationOf(settings),
        ...(settings.tenant === undefined ? {} : { 'x-scope-orgid': settings.tenant }),
        'content-type': 'application/json',
      }),
      gzip: true,
    });
    const push = async (items: readonly Item[], signal: AbortSignal, at?: number): Promise<void> => {
      const encode = (item: Item): string => lineOf(item, settings.encoding);
      for (const portion of portionsOf(items, encode, REQUEST_MAX_BYTES)) {
        const body = JSON.stringify({ streams: streamsOf(portion, settings.labels, at) });
        const { status } = await client.send({ path: '/loki/api/v1/push', body, signal });
        if (status !== NO_CONTENT)
          throw new SinkUnavailableError(name, `Loki answered ${status}, not 204; check the URL`);
      }
    };
    return {
      async send(items, { signal }) {
        try {
          await push(items, signal);
        } catch (error) {
          // The others of a batch have been stored. They are dropped as doubles only at their own time.
          if (!(error instanceof SinkRefusedError) || items.length > 1 || !TOO_OLD.test(error.message)) throw error;
          await push(items, signal, Date.now() * 1000);
        }
        return [];
      },
      close: () => client.close(),
    };
  },
});
