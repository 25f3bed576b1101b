import { OperatorError } from '@ringfence/base';
import type { OperatorOrder, Responder } from '@ringfence/responder';
import { type Act, Acts, type Reach, Reaches, type Result, u64FromBigInt } from '@ringfence/wire';
import type { App } from '../app.ts';
import { auditOf, incidentDossier } from './incident.ts';

/** What became of one command. */
export interface Response {
  /** Id of the command, which takes it back with `respond undo` */
  readonly command: string;
  readonly host: string;
  /** The process that it is about; 0: none */
  readonly pid: number;
  readonly executable: string;
  readonly outcome: Result['outcome'] | 'planned' | 'unanswered';
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
}

const NO_PROCESS = { bootId: '', entityId: '', pid: 0, start: u64FromBigInt(0n), executable: '' };
const PARAMETERS_MAX = 32;
const TARGETS_MAX = 100;
const PID_MAX = 2 ** 22;
const ABOUT_PROCESS: readonly Act[] = ['kill', 'suspend'];

type Target = OperatorOrder['target'];
type Request = Omit<OperatorOrder, 'target'>;

/**
 * Plans or orders what an operator asks for, and waits for the answers of the agents. Each process of an incident gets
 * a command of its own. Throws OperatorError.
 */
export async function respond(
  app: App,
  query: URLSearchParams,
  signal: AbortSignal,
  mode: 'plan' | 'enforce',
  recordId: string,
): Promise<Response[]> {
  const responder = responderOf(app);
  const request = requestOf(query, mode, recordId);
  if (request.action === 'undo' && query.has('incident')) return undoIncident(app, responder, request, query, signal);
  const isPid = query.has('pid') && !query.has('incident') && !query.has('alert');
  const targets = isPid
    ? [await processOf(responder, app, request, query, signal)]
    : await targetsOf(app, request, query);
  return Promise.all(targets.map((target) => ordered(responder, { ...request, target }, signal)));
}

/** Takes back what was carried out for the incident, newest first, one after the other. */
async function undoIncident(
  app: App,
  responder: Responder,
  request: Request,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<Response[]> {
  const { commands, results } = await incidentDossier(auditOf(app), query.get('incident') as string);
  const executed = new Set(results.filter(({ outcome }) => outcome === 'executed').map(({ id }) => id));
  const responses: Response[] = [];
  for (const { id, hostId } of [...commands].sort((a, b) => b.issuedAt - a.issuedAt)) {
    if (!executed.has(id)) continue;
    const target = { ...NO_PROCESS, hostId };
    responses.push(await ordered(responder, { ...request, parameters: { command: id }, target }, signal));
  }
  return responses;
}

function responderOf({ services }: App): Responder {
  if (services.responder !== undefined) return services.responder;
  throw new OperatorError('no responder runs in this process: run this command where one runs, with its stateDir');
}

function requestOf(query: URLSearchParams, mode: 'plan' | 'enforce', recordId: string): Request {
  const action = choice<Act>('action', query.get('action') ?? '', Acts);
  const reach = choice<Reach>(
    '--reach',
    query.get('reach') ?? (ABOUT_PROCESS.includes(action) ? 'tree' : query.has('pid') ? 'cgroup' : 'host'),
    Reaches,
  );
  const seconds = Number(query.get('for') ?? 0);
  if (!(seconds >= 0 && seconds <= 31_536_000)) throw new OperatorError('--for: expected at most a year');
  const parameters = query.getAll('parameter');
  if (parameters.length > PARAMETERS_MAX) throw new OperatorError(`at most ${PARAMETERS_MAX} parameters`);
  return {
    ...{ recordId, action, mode, reach, parameters: Object.fromEntries(parameters.map(parameterOf)) },
    cause: query.get('incident') ?? query.get('alert') ?? '',
    reason: query.get('note') ?? '',
    until: seconds === 0 ? 0 : (Date.now() + seconds * 1000) * 1000,
  };
}

function parameterOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new OperatorError(`${text}: expected NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function choice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const found = choices.find((candidate) => candidate === text);
  if (found !== undefined) return found;
  throw new OperatorError(`${option} '${text}': expected ${choices.join(', ')}`);
}

/** The agent knows when the process started, which no other place does to the nanosecond. */
async function processOf(
  responder: Responder,
  app: App,
  request: Request,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<Target> {
  const pid = Number(query.get('pid'));
  if (!(Number.isInteger(pid) && pid > 0 && pid <= PID_MAX)) throw new OperatorError('--pid: expected a pid');
  const target = { ...NO_PROCESS, hostId: query.get('host') ?? app.deployment.hostId, pid };
  const reach = request.reach === 'process' ? 'tree' : request.reach;
  const plan = await ordered(responder, { ...request, mode: 'plan', reach, target }, signal);
  const { start, boot, executable } = plan.facts;
  if (start === undefined || boot === undefined)
    throw new OperatorError(
      `host ${target.hostId}: ${[plan.reason, plan.facts['message']].filter(Boolean).join(': ')}`,
    );
  return { ...target, bootId: boot, start: u64FromBigInt(BigInt(start)), executable: executable ?? '' };
}

async function targetsOf(app: App, request: Request, query: URLSearchParams): Promise<Target[]> {
  if (!ABOUT_PROCESS.includes(request.action))
    return [{ ...NO_PROCESS, hostId: query.get('host') ?? (await hostOfCause(app, query)) ?? app.deployment.hostId }];
  const targets = await processesOf(app, query);
  if (targets.length === 0) throw new OperatorError('name a process: --incident ID, --alert ID or --pid PID');
  if (targets.length > TARGETS_MAX) throw new OperatorError(`more than ${TARGETS_MAX} processes: name one with --pid`);
  return targets;
}

async function hostOfCause(app: App, query: URLSearchParams): Promise<string | undefined> {
  const id = query.get('incident');
  return id === null ? undefined : (await incidentDossier(auditOf(app), id)).incident.hostId;
}

/** The processes of an incident, or of one of its alerts; with a pid, that one. */
async function processesOf(app: App, query: URLSearchParams): Promise<Target[]> {
  const [incidentId, alertId, pid] = [query.get('incident'), query.get('alert'), query.get('pid')];
  if (incidentId === null) {
    if (alertId !== null) throw new OperatorError('--alert needs the --incident that it belongs to');
    return [];
  }
  const { incident } = await incidentDossier(auditOf(app), incidentId);
  const found = new Map<string, Target>();
  for (const { id, hostId, process, target } of incident.alerts) {
    if (process === null || target === null || (alertId !== null && id !== alertId)) continue;
    if (pid !== null && process.pid !== Number(pid)) continue;
    const { entityId, executable } = process;
    found.set(entityId, { hostId, entityId, executable, pid: process.pid, bootId: target.bootId, start: target.start });
  }
  return [...found.values()];
}

async function ordered(responder: Responder, order: OperatorOrder, signal: AbortSignal): Promise<Response> {
  const { id, result } = await responder.order(order, signal);
  const { hostId: host, pid, executable } = order.target;
  const what = { command: id, host, pid, executable };
  if (result === null) return { ...what, outcome: 'unanswered', reason: 'no agent has answered in time', facts: {} };
  return {
    ...what,
    executable: result.executable || executable,
    outcome: result.outcome === 'observed' ? 'planned' : result.outcome,
    reason: result.reason,
    facts: result.facts,
  };
}
