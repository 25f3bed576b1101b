import type { Bus } from '@ringfence/bus';
import type { ControlPlane } from '@ringfence/control';
import { type Coordination, type JobRun, type JobWorker, PostponeError } from '@ringfence/coordination';
import { type Command, decode, encode, type Result, TOPIC } from '@ringfence/schema';
import type { CompiledResponderOptions } from '../config.ts';
import { ControlError } from '../errors.ts';
import type { ResponderMetrics, Wait } from '../metrics.ts';
import { checkSignature, type Trusted } from '../steps/verify.ts';
import { queueOf } from './names.ts';

export interface ExecutorDeps {
  readonly control: ControlPlane;
  readonly coordination: Coordination;
  readonly bus: Pick<Bus, 'produce'>;
  readonly owner: string;
  readonly options: CompiledResponderOptions;
  readonly metrics: ResponderMetrics;
  /** keys of the responders, this one's among them */
  readonly responders: Trusted;
  /** µs since the epoch */
  readonly now: () => number;
}

const AT_A_TIME = 64;
const LOOK_AGAIN_MS = 500;

/** Works off the queue of this responder: each command is sent to its agent, and what it answers goes onto the bus. */
export function startExecutor(deps: ExecutorDeps): Promise<JobWorker> {
  const execute = createExecute(deps);
  return deps.coordination.process(queueOf(deps.owner), execute, { concurrency: AT_A_TIME });
}

/** One job. Throws ForgedRecordError (poison), PostponeError, ControlError and what the bus throws (asked again). */
export function createExecute(deps: ExecutorDeps): (run: JobRun) => Promise<void> {
  const { control, metrics, responders } = deps;

  return async function execute({ payload, attempt, signal }) {
    const command = decode('Command', payload);
    // Whoever can write to the queue must not be able to kill.
    checkSignature(responders, 'command', command, payload);
    const { id, hostId } = command;
    if (!control.attached(hostId)) {
      // It may come back here; meanwhile the router brings the command to wherever it is now.
      metrics.waited('not-attached');
      throw new PostponeError(LOOK_AGAIN_MS, `host ${hostId} is not attached here`);
    }
    // What was sent once has had its token.
    const refused = attempt === 1 ? await takeTokens(deps, command) : null;
    const result = refused ?? finalResult(await ask(deps, command, payload, signal));
    await answer(deps, result);
    if (refused === null) control.acknowledge(hostId, id);
  };
}

/** Onto the bus, to the responder that keeps account of the host. */
export async function answer({ bus }: Pick<ExecutorDeps, 'bus'>, result: Result): Promise<void> {
  await bus.produce([{ topic: TOPIC.answers, key: result.hostId, value: encode('Result', result) }]);
}

/**
 * The agent carries out an id once. When it says that it has done so already, its first answer was lost on the way: the command was executed, and a
 * `refused` would contradict that.
 */
export function finalResult(result: Result): Result {
  if (result.outcome !== 'refused' || result.reason !== 'already-executed') return result;
  return { ...result, outcome: 'executed' };
}

/** null: go on. A Result: the limit leaves no room in the command's time. Throws PostponeError until there is room, or while nobody can say. */
async function takeTokens(deps: ExecutorDeps, command: Command): Promise<Result | null> {
  const { options, metrics, now } = deps;
  const limits = [
    [`kills/host/${command.hostId}`, options.killsPerMinutePerHost],
    ['kills/fleet', options.killsPerMinute],
  ] as const;
  for (const [key, perMinute] of limits) {
    const waitMs = await waitFor(deps, key, perMinute);
    if (waitMs === 0) continue;
    if (now() + waitMs * 1000 >= command.expiresAt) {
      metrics.waited('refused');
      const { id, hostId, executable } = command;
      return { id, hostId, outcome: 'refused', reason: 'rate-limited', executable, at: now() };
    }
    metrics.waited('limited');
    throw new PostponeError(waitMs, `${key} is used up`);
  }
  return null;
}

/** 0: granted. Closed when nobody can say: without limits nothing is killed. */
async function waitFor({ coordination, metrics }: ExecutorDeps, key: string, perMinute: number): Promise<number> {
  if (perMinute === 0) return Number.POSITIVE_INFINITY;
  try {
    const { granted, retryAfterMs } = await coordination.take(key, { rate: perMinute / 60, burst: perMinute });
    return granted ? 0 : Math.max(1, retryAfterMs);
  } catch (error) {
    metrics.waited('limits-away' satisfies Wait);
    throw new PostponeError(LOOK_AGAIN_MS, error instanceof Error ? error.message : String(error));
  }
}

async function ask(deps: ExecutorDeps, command: Command, bytes: Uint8Array, signal: AbortSignal): Promise<Result> {
  const { control, options, metrics } = deps;
  const { id, hostId } = command;
  try {
    const late = AbortSignal.timeout(options.controlTimeoutMs);
    const result = decode('Result', await control.execute(hostId, bytes, AbortSignal.any([late, signal])));
    if (result.id !== id || result.hostId !== hostId)
      throw new ControlError(id, `the agent answered about ${result.id} of host ${result.hostId}`);
    return result;
  } catch (cause) {
    metrics.retried();
    if (cause instanceof ControlError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ControlError(id, `the agent could not be asked: ${reason}`, { cause });
  }
}
