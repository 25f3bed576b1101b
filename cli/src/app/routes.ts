import { TOPIC } from '@ringfence/schema';
import { plain } from '../api/plain.ts';
import type { Answer, Route } from '../api/server.ts';
import { CliError } from '../errors.ts';
import { recordingEntry, recordingHeader } from '../recording.ts';
import type { App } from './app.ts';
import { alerts, events, incidents, queryOf } from './queries.ts';
import { statusOf } from './status.ts';

/** What commands may ask of a running `up`. */
export function routesOf(app: App): Readonly<Record<string, Route>> {
  const { bus, enrolled } = app.site;
  const audit = (): NonNullable<App['audit']> => {
    if (app.audit === null) throw new CliError('the auditor does not run in this process: ask where it runs');
    return app.audit;
  };
  return {
    status: async () => ({ json: await statusOf(app) }),
    events: (query, signal) => ({ lines: events(bus, queryOf(query, signal)) }),
    alerts: (query, signal) => ({ lines: mapped(alerts(audit(), bus, queryOf(query, signal))) }),
    incidents: (query, signal) => ({ lines: mapped(incidents(audit(), bus, queryOf(query, signal))) }),
    incident: (_, __, [id = '']) => incident(audit(), id),
    raw: (query, signal) => ({
      bytes: recording(app, query.get('past') === '1', signal, recordingHeader(enrolled)),
    }),
  };
}

async function* mapped(items: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const item of items) yield plain(item);
}

function incident(audit: NonNullable<App['audit']>, id: string): Answer {
  const file = audit.incident(id);
  if (file === undefined) throw new CliError(`there is no incident ${id}: ringfence incidents lists them`);
  const { executions: _, ...rest } = file;
  return { json: plain(rest) };
}

async function* recording(
  { site: { bus } }: App,
  past: boolean,
  signal: AbortSignal,
  header: Buffer,
): AsyncGenerator<Uint8Array> {
  yield header;
  for await (const { value } of bus.read({
    topic: TOPIC.raw,
    from: past ? 'earliest' : 'latest',
    follow: true,
    signal,
  })) {
    if (value !== null) yield recordingEntry(value);
  }
}
