import { jsonValue, OperatorError } from '@ringfence/base';
import type { Forwarder, ReplayRange } from '@ringfence/forwarder';
import type { Registrar, Revocation } from '@ringfence/registrar';
import type { App } from '../app.ts';
import { statusOf } from '../status/status.ts';
import { auditOf, incidentDossier } from './incident.ts';
import { rangeOf, recordingOf } from './recording.ts';
import type { Route } from './server.ts';

/** Loaded at the first request: it loads the rule compiler. */
const queries = (): Promise<typeof import('./queries.ts')> => import('./queries.ts');

/** Loaded at the first change of an incident's status. */
const triage = (): Promise<typeof import('./triage.ts')> => import('./triage.ts');

/** Routes of the API that commands use on a running `up`. */
export function routesOf(app: App): Readonly<Record<string, Route>> {
  const { bus } = app.deployment;
  return {
    token: async (query) => ({ json: { token: await createToken(registrarOf(app), query) } }),
    revoke: async (query) => ({ json: await revoke(registrarOf(app), query) }),
    status: async () => ({ json: await statusOf(app) }),
    events: async (query, signal) => {
      const { events, queryOf } = await queries();
      return { lines: events(bus, queryOf(query, signal)) };
    },
    alerts: async (query, signal) => {
      const { alerts, queryOf } = await queries();
      return { lines: jsonValues(alerts(auditOf(app), bus, queryOf(query, signal))) };
    },
    incidents: async (query, signal) => {
      const { incidents, queryOf } = await queries();
      return { lines: jsonValues(incidents(auditOf(app), bus, queryOf(query, signal))) };
    },
    incident: async (query, signal, [id = '', operation]) => {
      if (operation === 'set') return { json: jsonValue(await (await triage()).setStatus(app, id, query, signal)) };
      const { executions: _, ...dossier } = await incidentDossier(auditOf(app), id);
      return { json: jsonValue(dossier) };
    },
    sinks: async (query, signal, [name = '', operation]) => {
      const forwarder = forwarderOf(app);
      if (operation !== 'replay') return { json: await forwarder.sinks() };
      return { lines: forwarder.replay(name, replayRangeOf(query), signal) };
    },
    raw: (query, signal) => ({ bytes: recordingOf(app, rangeOf(query), signal) }),
  };
}

function forwarderOf({ services }: App): Forwarder {
  if (services.forwarder !== undefined) return services.forwarder;
  throw new OperatorError(
    'no sink runs in this process: set forwarder.sinks, or run this command where the forwarder runs',
  );
}

/** Times in µs since the epoch. */
function replayRangeOf(query: URLSearchParams): ReplayRange {
  const [from, to] = [Number(query.get('from') ?? Number.NaN), Number(query.get('to') ?? Date.now() * 1000)];
  if (!(from >= 0 && to >= from && Number.isSafeInteger(to))) throw new OperatorError('expected a time range');
  return { from, to };
}

function registrarOf({ services }: App): Registrar {
  if (services.registrar === undefined)
    throw new OperatorError(
      'the registrar does not run in this process: run this command where it runs, with its stateDir or runDir',
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
    throw await operatorErrorOf(error);
  }
}

async function revoke(registrar: Registrar, query: URLSearchParams): Promise<Revocation> {
  try {
    return await registrar.revoke(query.get('subject') ?? '', { now: query.get('now') === '1' });
  } catch (error) {
    throw await operatorErrorOf(error);
  }
}

/** Turns an error that the request caused into an OperatorError, which is answered with status 400. */
async function operatorErrorOf(error: unknown): Promise<unknown> {
  const { IdentityError } = await import('@ringfence/identity');
  const { RegistrarError } = await import('@ringfence/registrar');
  const isRequestError = error instanceof IdentityError || error instanceof RegistrarError;
  return isRequestError ? new OperatorError(error.message, { cause: error }) : error;
}

async function* jsonValues(records: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const record of records) yield jsonValue(record);
}
