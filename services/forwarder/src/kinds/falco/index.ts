import { SinkRefusedError } from '../../errors.ts';
import { authorizationOf, credentialShape } from '../../http/credentials.ts';
import { httpClientOf } from '../../http/http-client.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl } from '../../settings/values.ts';
import { defineKind, type Item, type Rejection, type SinkKind } from '../../sink.ts';
import { falcoEvent } from './event.ts';

const shape = {
  /** A falcosidekick, or any other receiver of Falco's http_output */
  url: httpUrl,
  ...credentialShape,
  ...tlsShape,
};

/** Receivers of Falco's HTTP output take one alert in a request. */
const AT_ONCE = 16;

/** Alerts in Falco's own JSON, so that all outputs of falcosidekick work. */
export const falco: SinkKind = defineKind({
  type: 'falco',
  title: "Falco's JSON to falcosidekick, or to any receiver of Falco's HTTP output",
  shape,
  sends: ['alerts'],
  takes: ['alerts'],
  incidents: 'all',
  keepsTickets: false,
  proof: 'a server of the tests that reads as falcosidekick does',
  open(settings, { name, common }) {
    const client = httpClientOf({ name, common }, settings, {
      headers: () => ({
        'content-type': 'application/json',
        ...authorizationOf(settings),
      }),
    });
    const post = async (item: Item, signal: AbortSignal): Promise<Rejection[]> => {
      if (item.kind !== 'alert') return [];
      try {
        await client.send({ body: JSON.stringify(falcoEvent(item)), signal });
        return [];
      } catch (error) {
        if (error instanceof SinkRefusedError) return [{ item, error }];
        throw error;
      }
    };
    return {
      async send(items, { signal }) {
        const rejections: Rejection[] = [];
        for (let from = 0; from < items.length; from += AT_ONCE) {
          const window = items.slice(from, from + AT_ONCE).map((item) => post(item, signal));
          rejections.push(...(await Promise.all(window)).flat());
        }
        return rejections;
      },
      close: () => client.close(),
    };
  },
});
