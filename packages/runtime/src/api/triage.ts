import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '@ringfence/base';
import {
  encodeSigned,
  type Incident,
  type StatusChange,
  TOPIC,
  type TriageState,
  TriageStates,
  type Verdict,
  Verdicts,
} from '@ringfence/wire';
import type { App } from '../app.ts';
import { auditOf, incidentDossier } from './incident.ts';

/** Longest note and longest name of a person, in characters. */
const NOTE_MAX = 512;
const BY_MAX = 64;
/** A search cluster may take seconds to return a record that it has stored. */
const DEADLINE_MS = 15_000;

/**
 * Publishes a person's status and verdict for an incident, waits until the audit trail has the version in which the
 * detector applied them, and returns that version. Throws OperatorError.
 */
export async function setStatus(app: App, id: string, query: URLSearchParams, signal: AbortSignal): Promise<Incident> {
  const audit = auditOf(app);
  const change = changeOf(query);
  const { incident } = await incidentDossier(audit, id);
  if (incident.state === 'merged')
    throw new OperatorError(`${id} was merged into ${incident.mergedInto}: set the status of that incident`);
  const { bus, serviceKey } = app.deployment;
  const { hostId } = incident;
  const value = encodeSigned('Feedback', { subject: id, hostId, change, incident }, serviceKey);
  await bus.produce([{ topic: TOPIC.feedback, key: hostId, value }]);
  for (const deadline = AbortSignal.timeout(DEADLINE_MS); !deadline.aborted && !signal.aborted; await sleep(50)) {
    const stored = (await audit.incident(id))?.incident;
    if (stored?.history.some(({ at, by }) => at === change.at && by === change.by)) return stored;
  }
  throw new OperatorError(
    `the change was sent, but is not in the audit trail after ${DEADLINE_MS / 1000} s: check with ringfence status that a detector runs`,
  );
}

function changeOf(query: URLSearchParams): StatusChange {
  const status = parseChoice<TriageState>('--state', query.get('state') ?? '', TriageStates);
  const verdictText = (query.get('verdict') ?? 'undecided').replaceAll('-', '_');
  const verdict = parseChoice<Verdict>('--verdict', verdictText, Verdicts);
  if ((status === 'closed') !== (verdict !== 'undecided'))
    throw new OperatorError(
      '--state closed needs a --verdict, true-positive or false-positive; the other states have none',
    );
  const by = (query.get('by') ?? 'unknown').slice(0, BY_MAX);
  const note = query.get('note') ?? '';
  if (note.length > NOTE_MAX) throw new OperatorError(`--note: at most ${NOTE_MAX} characters`);
  return { status, verdict, by, note, at: Date.now() * 1000 };
}

function parseChoice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === text);
  if (choice !== undefined) return choice;
  throw new OperatorError(`${option} ${text}: expected ${choices.join(', ').replaceAll('_', '-')}`);
}
