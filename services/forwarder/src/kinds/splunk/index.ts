import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ENCODERS, type Encoding, encodingSetting } from '../../encode/json.ts';
import { summaryOf } from '../../encode/summary.ts';
import { httpClientOf } from '../../http/http-client.ts';
import { portionsOf } from '../../http/portions.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, line, readSecret, secret } from '../../settings/values.ts';
import { defineKind, type Item, type SinkKind } from '../../sink.ts';
import { Collector } from './collector.ts';

/** Splunk Cloud refuses longer requests. */
const REQUEST_MAX_BYTES = 1_000_000;

const shape = {
  /** Address of the collector, such as https://splunk.example:8088. */
  url: httpUrl,
  ...tlsShape,
  /** Token of the HTTP Event Collector. */
  token: secret,
  /** Index of the events; without it, that of the token. */
  index: line.optional(),
  /** Sourcetype of the events. */
  sourcetype: line.default('ringfence'),
  /** Source of the events. */
  source: line.default('ringfence'),
  /** Form of the events: `ecs`, or `ocsf` (1.8). */
  encoding: encodingSetting,
  /** Waits until the indexers have written the events; the token must have indexer acknowledgement. */
  ack: z.boolean().default(false),
  /** Channel of the requests, a GUID; without it, a new one at each start. */
  channel: z.guid().optional(),
};

/** Splunk's HTTP Event Collector. */
export const splunk: SinkKind = defineKind({
  type: 'splunk',
  title: 'Splunk HTTP Event Collector, with or without indexer acknowledgement',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: 'VictoriaLogs; indexer acknowledgement: a server of the tests, after the published API',
  open(settings, { name, common }) {
    const channel = settings.channel ?? randomUUID();
    const client = httpClientOf({ name, common }, settings, {
      headers: () => ({
        authorization: `Splunk ${readSecret(settings.token)}`,
        'x-splunk-request-channel': channel,
        'content-type': 'application/json',
      }),
      gzip: true,
    });
    const collector = new Collector(name, client, common.timeout);
    const encode = (item: Item): string => JSON.stringify(eventOf(item, settings));
    return {
      async send(items, { signal }) {
        const ids: number[] = [];
        for (const { texts } of portionsOf(items, encode, REQUEST_MAX_BYTES)) {
          const { ackId } = await collector.post(texts.join('\n'), signal);
          if (settings.ack) ids.push(collector.required(ackId));
        }
        if (settings.ack) await collector.acknowledged(ids, signal);
        return [];
      },
      close: () => client.close(),
    };
  },
});

interface EventSettings {
  readonly index?: string | undefined;
  readonly source: string;
  readonly sourcetype: string;
  readonly encoding: Encoding;
}

function eventOf(item: Item, { index, source, sourcetype, encoding }: EventSettings): Record<string, unknown> {
  const { host } = summaryOf(item);
  return {
    time: item.at / 1_000_000,
    ...(host === '' ? {} : { host }),
    source,
    sourcetype,
    ...(index === undefined ? {} : { index }),
    event: ENCODERS[encoding](item),
  };
}
