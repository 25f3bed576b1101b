import { messageOf } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { ControlPlane } from '@ringfence/control';
import { type Coordination, type JobRun, type JobWorker, PostponeError } from '@ringfence/coordination';
import { type Command, decode, encodeSigned, type Result, type SigningKey, TOPIC } from '@ringfence/wire';
import { takesToken } from '../command.ts';
import type { CompiledResponderOptions } from '../config.ts';
import { ControlError } from '../errors.ts';
import type { ResponderMetrics } from '../metrics.ts';
import { checkSignature, type Trusted } from '../steps/verify.ts';
import { queueOf } from './common.ts';

export interface ExecutorDeps {
  readonly control: ControlPlane;
  readonly coordination: Coordination;
  readonly bus: Pick<Bus, 'produce'>;
  /** Signs the Results. */
  readonly key: SigningKey;
  readonly owner: string;
  readonly options: CompiledResponderOptions;
  readonly metrics: ResponderMetrics;
  /** Keys of the responders, this responder's own included. */
  readonly responders: Trusted;
  /** µs since the epoch */
  readonly now: () => number;
}

/** A Result before this responder signs it */
type Answer = Omit<Result, 'keyId' | 'signature'>;

const MAX_CONCURRENT = 64;
const POSTPONE_MS = 500;

/** Processes this responder's queue: sends each command to its agent and publishes the answer. */
export function startExecutor(deps: ExecutorDeps): Promise<JobWorker> {
  const execute = createExecute(deps);
  return deps.coordination.process(queueOf(deps.owner), execute, { concurrency: MAX_CONCURRENT });
}

/**
 * Returns the function that runs one job. It throws ForgedRecordError (poison), PostponeError, ControlError (the job is
 * retried) and errors of the bus (retried too).
 */
export function createExecute(deps: ExecutorDeps): (run: JobRun) => Promise<void> {
  const { control, metrics, responders } = deps;
  const takeTokens = createTakeTokens(deps);

  return async function execute({ payload, attempt }) {
    const command = decode('Command', payload);
    // Write access to the queue must not be enough to kill.
    checkSignature(responders, 'command', command, payload);
    const { id, hostId } = command;
    if (!control.attached(hostId)) {
      // The host may attach here again; meanwhile the router finds its new responder.
      metrics.waited('not-attached');
      throw new PostponeError(POSTPONE_MS, `host ${hostId} is not attached here`);
    }
    // A later attempt has had its tokens.
    const refused = attempt === 1 && takesToken(command) ? await takeTokens(command) : null;
    if (refused !== null) return refuse(deps, refused);
    await publishAnswer(deps, finalResult(await ask(deps, command, payload)));
    control.acknowledge(hostId, id);
  };
}

/** Postpones the job while the bus is away, which uses up no attempt: a second attempt takes no tokens. */
async function refuse(deps: ExecutorDeps, refused: Answer): Promise<void> {
  try {
    await publishAnswer(deps, refused);
  } catch (error) {
    throw new PostponeError(POSTPONE_MS, messageOf(error));
  }
}

/** Signs the answer and publishes it for the responder that has the host's partition. */
export async function publishAnswer({ bus, key }: Pick<ExecutorDeps, 'bus' | 'key'>, result: Answer): Promise<void> {
  await bus.produce([{ topic: TOPIC.answers, key: result.hostId, value: encodeSigned('Result', result, key) }]);
}

/**
 * An agent carries out an id once. With `already-executed`, its first answer was lost: the Result is that the command
 * was executed.
 */
export function finalResult(result: Answer): Answer {
  if (result.outcome !== 'refused' || result.reason !== 'already-executed') return result;
  return { ...result, outcome: 'executed' };
}

/** Limit of waiting commands that hold a token; a command beyond it may take a token twice. */
const MAX_WAITING = 10_000;
/** Longer than the life of a command */
const GRANTED_MS = 3_600_000;

/**
 * Returns a function that takes the tokens of a command. It returns null when the command has them, and a Result if
 * the command would expire while it waits for them. It throws PostponeError until tokens are free, or while the
 * coordination is away. A command keeps its first token while it waits for the second. A command that had its tokens at
 * another responder needs no others: it may have been executed.
 */
function createTakeTokens(deps: ExecutorDeps): (command: Command) => Promise<Answer | null> {
  const { options, metrics, now } = deps;
  const held = new Set<string>();

  return async function takeTokens({ id, hostId, executable, expiresAt }) {
    const fleetMs = await takeToken(deps, 'kills/fleet', options.killsPerMinute, held, id);
    const hostMs =
      fleetMs > 0 ? 0 : await takeToken(deps, `kills/host/${hostId}`, options.killsPerMinutePerHost, held, id);
    const missingMs = Math.max(fleetMs, hostMs);
    // A limit of 0 refuses also commands that had their tokens before.
    const granted = Number.isFinite(missingMs) ? await timesGranted(deps, id, missingMs === 0 ? 1 : 0) : 0;
    const waitMs = granted > 0 ? 0 : missingMs;
    if (waitMs > 0 && now() + waitMs * 1000 < expiresAt) {
      metrics.waited('limited');
      throw new PostponeError(waitMs, 'no token is left');
    }
    for (const key of ['kills/fleet', `kills/host/${hostId}`]) held.delete(`${key} ${id}`);
    if (waitMs === 0) return null;
    metrics.waited('refused');
    return { id, hostId, outcome: 'refused', reason: 'rate-limited', executable, at: now(), children: -1, facts: {} };
  };
}

/** Returns how often a command got its tokens from any responder, after adding `more`. */
function timesGranted(deps: ExecutorDeps, id: string, more: number): Promise<number> {
  return orPostpone(deps, () => deps.coordination.count(`kills/granted/${id}`, more, GRANTED_MS));
}

/** Without the coordination the limits are closed: no command is sent. */
async function orPostpone<T>({ metrics }: ExecutorDeps, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    metrics.waited('limits-away');
    throw new PostponeError(POSTPONE_MS, messageOf(error));
  }
}

/** Returns 0 if the command has its token, else ms until one is free; Infinity for a limit of 0. */
async function takeToken(
  deps: ExecutorDeps,
  key: string,
  perMinute: number,
  held: Set<string>,
  id: string,
): Promise<number> {
  if (perMinute === 0) return Number.POSITIVE_INFINITY;
  if (held.has(`${key} ${id}`)) return 0;
  const bucket = { rate: perMinute / 60, burst: perMinute };
  const { granted, retryAfterMs } = await orPostpone(deps, () => deps.coordination.take(key, bucket));
  if (!granted) return Math.max(1, retryAfterMs);
  held.add(`${key} ${id}`);
  if (held.size > MAX_WAITING) held.delete(held.values().next().value as string);
  return 0;
}

/** Not aborted when the responder closes: a command that was sent gets its answer. */
async function ask(deps: ExecutorDeps, command: Command, bytes: Uint8Array): Promise<Result> {
  const { control, options, metrics } = deps;
  const { id, hostId } = command;
  try {
    const deadline = AbortSignal.timeout(options.controlTimeoutMs);
    const result = decode('Result', await control.execute(hostId, bytes, deadline));
    if (result.id !== id || result.hostId !== hostId)
      throw new ControlError(id, `the agent answered for ${result.id} of host ${result.hostId}`);
    return result;
  } catch (cause) {
    metrics.retried();
    if (cause instanceof ControlError) throw cause;
    throw new ControlError(id, `the agent gave no valid answer: ${messageOf(cause)}`, { cause });
  }
}
