import { z } from 'zod';
import { SinkRefusedError, SinkUnavailableError } from '../../errors.ts';
import { authorizationOf, credentialShape } from '../../http/credentials.ts';
import { type HttpAnswer, httpClientOf, oneLine } from '../../http/http-client.ts';
import { portionsOf } from '../../http/portions.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, line } from '../../settings/values.ts';
import { defineKind, type Item, type SinkKind } from '../../sink.ts';
import { attributesOf, FORMATS, type LogFormat, logRecords } from './records.ts';

/** Collectors take 20 MiB; a smaller request needs less of their memory. */
const REQUEST_MAX_BYTES = 4_000_000;

const shape = {
  /** Address without /v1/logs, such as https://collector.example:4318. */
  url: httpUrl,
  ...tlsShape,
  ...credentialShape,
  /** Further headers, for values that are no secrets. */
  headers: z.record(line, line).default({}),
  /** Form of the requests: `protobuf`, or `json` for receivers that take nothing else. */
  format: z.enum(['protobuf', 'json']).default('protobuf'),
};

/** OpenTelemetry's protocol for logs, over HTTP. */
export const otlp: SinkKind = defineKind({
  type: 'otlp',
  title: 'OpenTelemetry logs (OTLP over HTTP), for collectors and what takes logs from them',
  shape,
  sends: ['alerts', 'incidents', 'responses'],
  incidents: 'all',
  keepsTickets: false,
  proof: 'an OpenTelemetry collector and VictoriaLogs',
  open(settings, { name, common }) {
    const format = FORMATS[settings.format];
    const client = httpClientOf({ name, common }, settings, {
      headers: () => ({ ...settings.headers, ...authorizationOf(settings), 'content-type': format.contentType }),
      gzip: true,
    });
    // The length of the attributes in JSON stands for that of the record.
    const measure = (item: Item): string => JSON.stringify(attributesOf(item));
    return {
      async send(items, { signal }) {
        for (const portion of portionsOf(items, measure, REQUEST_MAX_BYTES)) {
          const body = format.serializer.serializeRequest(logRecords(portion.items));
          if (body === undefined) throw new SinkRefusedError(name, 'the records have no form in OTLP');
          checkAccepted(name, format, await client.send({ path: '/v1/logs', body, signal }));
        }
        return [];
      },
      close: () => client.close(),
    };
  },
});

/** Throws SinkRefusedError when records were refused: OTLP says how many, and only a single one is known. */
function checkAccepted(
  sink: string,
  { contentType, serializer }: LogFormat,
  { bytes, text, headers }: HttpAnswer,
): void {
  // An empty message of Protocol Buffers has no bytes.
  if (bytes.length === 0) return;
  if (!String(headers['content-type']).startsWith(contentType))
    throw new SinkUnavailableError(sink, `the far side answered no OTLP but "${oneLine(text)}"; check the URL`);
  const { rejectedLogRecords = 0, errorMessage = '' } = serializer.deserializeResponse(bytes).partialSuccess ?? {};
  if (Number(rejectedLogRecords) > 0)
    throw new SinkRefusedError(sink, `${rejectedLogRecords} records: ${oneLine(errorMessage)}`);
}
