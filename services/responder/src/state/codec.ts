import { createStateDecoder, jsonEntries, type StateDecoder } from '@ringfence/service-kit';
import { decode, encode, type StateCommand, type StateKillLimit, type StateOrder } from '@ringfence/wire';
import { type Phase, type Run, type RunEnd, stepsOf } from '../playbook/run.ts';
import { LEGACY, type ResponderState } from './legacy.ts';

/** More than `responder.killsPerMinutePerHost` allows. */
const MAX_KILLS = 10_000;

const decodeState: StateDecoder<ResponderState> = createStateDecoder(jsonEntries(LEGACY));

/** An enforced command in the partition of its host. */
export type CommandEntry = Pick<StateCommand, 'hostId' | 'expiresAt'> &
  (
    | { readonly state: 'open' /** Framed and signed */; readonly command: Uint8Array }
    | { readonly state: 'answered' /** Framed and signed Result */; readonly answer: Uint8Array }
    | { readonly state: 'done' }
  );

export const encodeOrder = (order: StateOrder): Uint8Array => encode('StateOrder', order);

export const decodeOrder = (bytes: Uint8Array): StateOrder => decodeState('StateOrder', bytes);

export const encodeKillLimit = (limit: StateKillLimit): Uint8Array => encode('StateKillLimit', limit);

export function decodeKillLimit(bytes: Uint8Array): StateKillLimit {
  const limit = decodeState('StateKillLimit', bytes);
  if (limit.kills.length > MAX_KILLS) throw new RangeError(`${limit.kills.length} kills of a host within a minute`);
  return limit;
}

export const encodeCommand = (entry: CommandEntry): Uint8Array =>
  encode('StateCommand', { command: null, answer: null, ...entry });

export function decodeCommand(bytes: Uint8Array): CommandEntry {
  const { state, hostId, expiresAt, command, answer } = decodeState('StateCommand', bytes);
  if (state === 'open' && command !== null) return { state, hostId, expiresAt, command };
  if (state === 'answered' && answer !== null) return { state, hostId, expiresAt, answer };
  if (state === 'done') return { state, hostId, expiresAt };
  throw new RangeError(`a command that is ${state} without its record`);
}

export const encodeRun = (run: Run): Uint8Array => encode('StatePlaybookRun', { ...run, results: [...run.results] });

const PHASES: readonly Phase[] = ['waiting', 'approval', 'ordered', 'undoing', 'over'];
const ENDS: readonly (RunEnd | '')[] = ['', 'completed', 'stopped', 'undone', 'undo-failed'];

export function decodeRun(bytes: Uint8Array): Run {
  const stored = decode('StatePlaybookRun', bytes);
  const phase = PHASES.find((each) => each === stored.phase);
  const end = ENDS.find((each) => each === stored.end);
  if (phase === undefined || end === undefined) throw new RangeError(`a run that is ${stored.phase} ${stored.end}`);
  if (phase !== 'over') stepsOf(stored.begun);
  return { ...stored, phase, end };
}
