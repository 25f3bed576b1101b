import { Readable } from 'node:stream';
import { jsonValue, OperatorError } from '@ringfence/base';
import type { Forwarder, ReplayRange } from '@ringfence/forwarder';
import type { Registrar, Revocation } from '@ringfence/registrar';
import type { App } from '../app.ts';
import { statusOf } from '../status/status.ts';
import { appliedHold } from './hold.ts';
import { auditOf, incidentDossier } from './incident.ts';
import { rangeOf, recordingOf } from './recording.ts';
import type { Answer, RecordedAction, Routes } from './server.ts';

/** Loaded at the first request: it loads the rule compiler. */
const queries = (): Promise<typeof import('./queries.ts')> => import('./queries.ts');

/** Loaded at the first change of an incident's status. */
const triage = (): Promise<typeof import('./triage.ts')> => import('./triage.ts');

/** Loaded at the first export. */
const exports = (): Promise<typeof import('./export.ts')> => import('./export.ts');

/** Loaded at the first response. */
const responses = (): Promise<typeof import('./respond.ts')> => import('./respond.ts');

/** Routes of the API that commands use on a running `up`. */
export function routesOf(app: App): Routes {
  const { bus } = app.deployment;
  return {
    token: {
      operator: (query) => ({
        action: 'token.create',
        target: query.get('subject') ?? query.get('role') ?? '',
        details: detailsOf(query, ['role', 'host', 'ttl']),
      }),
      answer: async (query) => ({ json: { token: await createToken(registrarOf(app), query) } }),
    },
    revoke: {
      operator: (query) => ({
        action: 'service.revoke',
        target: query.get('subject') ?? '',
        details: detailsOf(query, ['now']),
        needsReason: true,
      }),
      answer: async (query) => ({ json: await revoke(registrarOf(app), query) }),
    },
    status: { operator: false, answer: async () => ({ json: await statusOf(app) }) },
    events: {
      operator: false,
      answer: async (query, signal) => {
        const { events, queryOf } = await queries();
        return { lines: events(bus, queryOf(query, signal)) };
      },
    },
    alerts: {
      operator: false,
      answer: async (query, signal) => {
        const { alerts, queryOf } = await queries();
        return { lines: jsonValues(alerts(auditOf(app), bus, queryOf(query, signal))) };
      },
    },
    incidents: {
      operator: false,
      answer: async (query, signal) => {
        const { incidents, queryOf } = await queries();
        return { lines: jsonValues(incidents(auditOf(app), bus, queryOf(query, signal))) };
      },
    },
    operators: {
      operator: false,
      answer: async (query, signal) => {
        const { operatorActions, queryOf } = await queries();
        return { lines: jsonValues(operatorActions(auditOf(app), queryOf(query, signal))) };
      },
    },
    incident: { operator: incidentAction, answer: (...request) => incidentRoute(app, ...request) },
    raw: {
      operator: (query) => ({
        action: 'evidence.record',
        details: detailsOf(query, ['host', 'from', 'until', 'past']),
      }),
      answer: (query, signal) => ({ bytes: recordingOf(app, rangeOf(query), signal) }),
    },
    respond: {
      operator: (query, [operation = '']) => respondAction(query, operation),
      answer: async (query, signal, [operation = ''], recordId) => ({
        json: jsonValue(
          await (await responses()).respond(app, query, signal, operation === 'plan' ? 'plan' : 'enforce', recordId),
        ),
      }),
    },
    sinks: { operator: false, answer: async () => ({ json: await forwarderOf(app).sinks() }) },
    replay: {
      operator: (query, [name = '']) => ({
        action: 'sinks.replay',
        target: name,
        details: detailsOf(query, ['from', 'to']),
      }),
      answer: (query, signal, [name = '']) => ({ lines: forwarderOf(app).replay(name, replayRangeOf(query), signal) }),
    },
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

function respondAction(query: URLSearchParams, operation: string): RecordedAction {
  if (operation !== 'plan' && operation !== 'run') throw new OperatorError(`unknown request ${operation}`);
  const details = detailsOf(query, ['action', 'reach', 'host', 'pid', 'incident', 'alert', 'for', 'parameter']);
  const target = query.get('incident') ?? query.get('alert') ?? query.get('host') ?? '';
  return {
    action: `respond.${operation}`,
    target,
    details,
    reason: query.get('note') ?? '',
    needsReason: operation === 'run',
  };
}

/** What a request may ask about one incident. */
const OPERATIONS = ['show', 'set', 'exception', 'export', 'hold', 'release'] as const;

function incidentAction(query: URLSearchParams, [id = '', operation = 'show']: readonly string[]): RecordedAction {
  if (!(OPERATIONS as readonly string[]).includes(operation)) throw new OperatorError(`unknown request ${operation}`);
  const details = detailsOf(query, ['state', 'verdict']);
  const needsReason = operation === 'hold' || operation === 'release';
  return { action: `incident.${operation}`, target: id, details, reason: query.get('note') ?? '', needsReason };
}

async function incidentRoute(
  app: App,
  query: URLSearchParams,
  signal: AbortSignal,
  [id = '', operation = 'show']: readonly string[],
  recordId: string,
): Promise<Answer> {
  if (operation === 'hold' || operation === 'release') return { json: await appliedHold(app, id, recordId, signal) };
  if (operation === 'set') return { json: jsonValue(await (await triage()).setStatus(app, id, query, signal)) };
  if (operation === 'export') {
    const bundle = await (await exports()).exportIncident(app, id);
    return { bytes: Readable.from([bundle]) };
  }
  const { executions: _, ...dossier } = await incidentDossier(auditOf(app), id);
  return { json: jsonValue(dossier) };
}

/** Returns the parameters of a request that are set. */
const detailsOf = (query: URLSearchParams, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.filter((name) => query.has(name)).map((name) => [name, query.getAll(name).join(',')]));

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
