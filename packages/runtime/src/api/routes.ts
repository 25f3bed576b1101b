import { jsonValue, OperatorError } from '@ringfence/base';
import type { Registrar } from '@ringfence/registrar';
import { isSignedLines, recordingEntry, recordingHeader, TOPIC } from '@ringfence/schema';
import type { App } from '../app.ts';
import { statusOf } from '../status/status.ts';
import type { Answer, Route } from './server.ts';

/** Loaded when somebody asks: they bring the compiler of rules with them. */
const queries = (): Promise<typeof import('./queries.ts')> => import('./queries.ts');

/** Loaded with the first that somebody decides. */
const triage = (): Promise<typeof import('./triage.ts')> => import('./triage.ts');

/** What commands may ask of a running `up`. */
export function routesOf(app: App): Readonly<Record<string, Route>> {
  const { bus, enrolled } = app.site;
  const audit = (): NonNullable<App['audit']> => {
    if (app.audit === null) throw new OperatorError('the auditor does not run in this process: ask where it runs');
    return app.audit;
  };
  return {
    token: async (query) => ({ json: { token: await createToken(registrarOf(app), query) } }),
    revoke: async (query) => ({ json: { keys: await revoke(registrarOf(app), query) } }),
    status: async () => ({ json: await statusOf(app) }),
    events: async (query, signal) => {
      const { events, queryOf } = await queries();
      return { lines: events(bus, queryOf(query, signal)) };
    },
    alerts: async (query, signal) => {
      const { alerts, queryOf } = await queries();
      return { lines: mapped(alerts(audit(), bus, queryOf(query, signal))) };
    },
    incidents: async (query, signal) => {
      const { incidents, queryOf } = await queries();
      return { lines: mapped(incidents(audit(), bus, queryOf(query, signal))) };
    },
    incident: async (query, signal, [id = '', what]) => {
      if (what === 'set') return { json: jsonValue(await (await triage()).setStatus(app, id, query, signal)) };
      return incident(audit(), id);
    },
    raw: (query, signal) => ({
      bytes: recording(app, query.get('past') === '1', signal, recordingHeader(enrolled)),
    }),
  };
}

function registrarOf({ services }: App): Registrar {
  if (services.registrar === undefined)
    throw new OperatorError(
      'the registrar does not run in this process: ask where it runs, or give its stateDir or runDir',
    );
  return services.registrar;
}

async function createToken(registrar: Registrar, query: URLSearchParams): Promise<string> {
  const subject = query.get('subject');
  const minutes = Number(query.get('ttl') ?? '60');
  if (!(minutes > 0 && minutes <= 43_200)) throw new OperatorError('--ttl: expected 1 to 43200 minutes');
  try {
    const { parseRoles } = await import('@ringfence/identity');
    return registrar.createToken({
      roles: parseRoles(query.get('role') ?? ''),
      hosts: query.getAll('host'),
      ttlMs: minutes * 60_000,
      ...(subject === null ? {} : { subject }),
    });
  } catch (error) {
    throw await asked(error);
  }
}

async function revoke(registrar: Registrar, query: URLSearchParams): Promise<number> {
  try {
    return await registrar.revoke(query.get('subject') ?? '');
  } catch (error) {
    throw await asked(error);
  }
}

/** What was asked wrongly is told as such. */
async function asked(error: unknown): Promise<unknown> {
  const { IdentityError } = await import('@ringfence/identity');
  const { RegistrarError } = await import('@ringfence/registrar');
  const known = error instanceof IdentityError || error instanceof RegistrarError;
  return known ? new OperatorError(error.message, { cause: error }) : error;
}

async function* mapped(items: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const item of items) yield jsonValue(item);
}

async function incident(audit: NonNullable<App['audit']>, id: string): Promise<Answer> {
  const file = await audit.incident(id);
  if (file === undefined) throw new OperatorError(`there is no incident ${id}: ringfence incidents lists them`);
  const { executions: _, ...rest } = file;
  return { json: jsonValue(rest) };
}

async function* recording(
  { site: { bus } }: App,
  past: boolean,
  signal: AbortSignal,
  header: Buffer,
): AsyncGenerator<Uint8Array> {
  yield header;
  const from = past ? 'earliest' : 'latest';
  // What a Filebeat sent says nowhere whose it is.
  for await (const { topic, value } of bus.read({ topic: [TOPIC.raw, TOPIC.logsRaw], from, follow: true, signal }))
    if (value !== null && (topic === TOPIC.raw || isSignedLines(value))) yield recordingEntry(value);
}
