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

const NOTE_MAX = 512;
const BY_MAX = 64;
/** A cluster may take some seconds to show what it was given. */
const PATIENCE_MS = 15_000;

/** Says what somebody thinks of an incident, by way of the detector; its new version. Throws OperatorError. */
export async function setStatus(app: App, id: string, query: URLSearchParams, signal: AbortSignal): Promise<Incident> {
  const { audit } = app;
  if (audit === null) throw new OperatorError('the auditor does not run in this process: ask where it runs');
  const change = changeOf(query);
  const file = await audit.incident(id);
  if (file === undefined) throw new OperatorError(`there is no incident ${id}: ringfence incidents lists them`);
  const { incident } = file;
  if (incident.state === 'merged')
    throw new OperatorError(`${id} is part of ${incident.mergedInto}: say it of that one`);
  const { bus, serviceKey } = app.site;
  const { hostId } = incident;
  const value = encodeSigned('Feedback', { subject: id, hostId, change, incident }, serviceKey);
  await bus.produce([{ topic: TOPIC.feedback, key: hostId, value }]);
  for (const late = AbortSignal.timeout(PATIENCE_MS); !late.aborted && !signal.aborted; await sleep(50)) {
    const now = (await audit.incident(id))?.incident;
    if (now?.history.some(({ at, by }) => at === change.at && by === change.by)) return now;
  }
  throw new OperatorError('it was said, and no detector has taken it yet: does one run? ringfence status');
}

function changeOf(query: URLSearchParams): StatusChange {
  const status = oneOf<TriageState>('--state', query.get('state') ?? '', TriageStates);
  const given = (query.get('verdict') ?? 'undecided').replaceAll('-', '_');
  const verdict = oneOf<Verdict>('--verdict', given, Verdicts);
  if ((status === 'closed') !== (verdict !== 'undecided'))
    throw new OperatorError(
      '--state closed needs a --verdict, true-positive or false-positive; the other states have none',
    );
  const by = (query.get('by') ?? 'unknown').slice(0, BY_MAX);
  const note = query.get('note') ?? '';
  if (note.length > NOTE_MAX) throw new OperatorError(`--note: at most ${NOTE_MAX} characters`);
  return { status, verdict, by, note, at: Date.now() * 1000 };
}

function oneOf<T extends string>(option: string, text: string, all: readonly T[]): T {
  const found = all.find((one) => one === text);
  if (found !== undefined) return found;
  throw new OperatorError(`${option} ${text}: expected ${all.join(', ').replaceAll('_', '-')}`);
}
