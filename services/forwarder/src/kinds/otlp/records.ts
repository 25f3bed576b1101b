import { JsonLogsSerializer, ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { VERSION } from '@ringfence/base';
import type { Priority } from '@ringfence/wire';
import { ecsDocument } from '../../encode/json.ts';
import { summaryOf } from '../../encode/summary.ts';
import type { Item } from '../../sink.ts';

type LogRecord = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];

/** One of the two forms of OTLP. */
export interface LogFormat {
  readonly contentType: string;
  readonly serializer: typeof ProtobufLogsSerializer;
}

export const FORMATS: Readonly<Record<'protobuf' | 'json', LogFormat>> = {
  protobuf: { contentType: 'application/x-protobuf', serializer: ProtobufLogsSerializer },
  json: { contentType: 'application/json', serializer: JsonLogsSerializer },
};

/** OpenTelemetry's numbers for the severities of syslog. */
const SEVERITY_NUMBERS: Readonly<Record<Priority, number>> = {
  debug: 5,
  informational: 9,
  notice: 10,
  warning: 13,
  error: 17,
  critical: 18,
  alert: 19,
  emergency: 21,
};

const SCOPE = { name: 'ringfence', version: VERSION };

/** What the resource, the body and the time of a record say; a whole incident is too long for an attribute. */
const ELSEWHERE = new Set(['@timestamp', 'message', 'host.id', 'host.name', 'ringfence.incident.whole']);

/** Returns the attributes of an item: its ECS fields, and `ringfence.id` for dropping doubles. */
export function attributesOf(item: Item): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(ecsDocument(item)).filter(([name]) => !ELSEWHERE.has(name)));
}

/** Returns the log records of items, with one resource for each host. */
export function logRecords(items: readonly Item[]): LogRecord[] {
  const resources = new Map<string, Resource>();
  return items.map((item) => {
    const host = String(item.document['host.id'] ?? '');
    const resource = resources.get(host) ?? resourceOf(item);
    resources.set(host, resource);
    return recordOf(item, resource);
  });
}

function resourceOf({ document }: Item): Resource {
  const hosts = ['host.id', 'host.name'].filter((name) => typeof document[name] === 'string');
  const host = Object.fromEntries(hosts.map((name) => [name, document[name] as string]));
  return resourceFromAttributes({ 'service.name': 'ringfence', 'service.version': VERSION, ...host });
}

function recordOf(item: Item, resource: Resource): LogRecord {
  const { priority, text } = summaryOf(item);
  const time: [number, number] = [Math.floor(item.at / 1_000_000), (item.at % 1_000_000) * 1000];
  return {
    hrTime: time,
    hrTimeObserved: time,
    severityNumber: SEVERITY_NUMBERS[priority],
    severityText: priority,
    body: text,
    eventName: `ringfence.${item.kind}`,
    resource,
    instrumentationScope: SCOPE,
    attributes: attributesOf(item) as LogRecord['attributes'],
    droppedAttributesCount: 0,
  };
}
