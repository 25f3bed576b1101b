import { setTimeout as sleep } from 'node:timers/promises';
import type { OutRecord } from '@ringfence/bus';
import {
  type Command,
  type Control,
  decode,
  encode,
  type Result,
  type SigningKey,
  TOPIC,
  verifyRecord,
} from '@ringfence/schema';
import { ControlError, ForgedCommandError } from '../errors.ts';
import type { ResponderMetrics } from '../metrics.ts';

export interface DispatchDeps {
  /** null: no agent is connected here */
  readonly control: Control | null;
  readonly key: SigningKey;
  readonly metrics: ResponderMetrics;
  readonly timeoutMs: number;
  /** µs since the epoch */
  readonly now: () => number;
}

/** Answers kept for the case that the batch they belong to is handled again. */
const MAX_ANSWERS = 1000;

/** Sends an enforced command to its agent; gives its one Result. Throws ForgedCommandError (poison), ControlError (retriable). */
export function createDispatch(deps: DispatchDeps): (value: Uint8Array) => Promise<readonly OutRecord[]> {
  const { key, metrics, now } = deps;
  const answers = new Map<string, Result>();

  async function answer(command: Command, bytes: Uint8Array): Promise<Result> {
    const { id, hostId } = command;
    const at = now();
    if (at > command.expiresAt) {
      // After a crash nobody here knows whether an earlier delivery reached the agent; its own log and the process's exit event do.
      return { id, hostId, outcome: 'expired', reason: 'it expired before an answer to it came', executable: '', at };
    }
    if (deps.control === null || deps.control.hostId !== hostId) {
      return { id, hostId, outcome: 'failed', reason: 'no-agent', executable: '', at };
    }
    return finalResult(await execute(deps.control, command, bytes, deps.timeoutMs));
  }

  return async function dispatch(bytes) {
    const command = decode('Command', bytes);
    if (command.mode !== 'enforce') return [];
    if (command.keyId !== key.keyId || !verifyRecord(key.publicKey, bytes)) {
      throw new ForgedCommandError(command.id, command.keyId);
    }
    let result = answers.get(command.id);
    if (result === undefined) {
      result = await answer(command, bytes);
      answers.set(command.id, result);
      if (answers.size > MAX_ANSWERS) answers.delete(answers.keys().next().value as string);
      metrics.answered(result.outcome);
    }
    return [{ topic: TOPIC.results, key: result.hostId, value: encode('Result', result) }];
  };
}

async function execute(control: Control, command: Command, bytes: Uint8Array, timeoutMs: number): Promise<Result> {
  const timer = new AbortController();
  try {
    const late = sleep(timeoutMs, 'late' as const, { signal: timer.signal });
    const answered = await Promise.race([control.execute(bytes), late]);
    if (answered === 'late') throw new ControlError(command.id, `the agent did not answer within ${timeoutMs} ms`);
    const result = decode('Result', answered);
    if (result.id !== command.id || result.hostId !== command.hostId) {
      throw new ControlError(command.id, `the agent answered about ${result.id} of host ${result.hostId}`);
    }
    return result;
  } catch (cause) {
    if (cause instanceof ControlError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ControlError(command.id, `the agent could not be asked: ${reason}`, { cause });
  } finally {
    timer.abort();
  }
}

/**
 * The agent carries out an id once. When it says that it has done so already, its first answer was lost on the way, and this is the only Result
 * there will be: the command was executed. A `refused` here would contradict what happened.
 */
function finalResult(result: Result): Result {
  if (result.outcome !== 'refused' || result.reason !== 'already-executed') return result;
  return { ...result, outcome: 'executed' };
}
