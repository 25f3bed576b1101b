import { messageOf } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { ControlPlane } from '@ringfence/control';
import { type Coordination, type JobRun, type JobWorker, PostponeError } from '@ringfence/coordination';
import { type Command, decode, encodeSigned, type Result, type SigningKey, TOPIC } from '@ringfence/wire';
import type { CompiledResponderOptions } from '../config.ts';
import { ControlError } from '../errors.ts';
import type { ResponderMetrics } from '../metrics.ts';
import { checkSignature, type Trusted } from '../steps/verify.ts';
import { queueOf } from './names.ts';

export interface ExecutorDeps {
  readonly control: ControlPlane;
  readonly coordination: Coordination;
  readonly bus: Pick<Bus, 'produce'>;
  /** signs what becomes of commands */
  readonly key: SigningKey;
  readonly owner: string;
  readonly options: CompiledResponderOptions;
  readonly metrics: ResponderMetrics;
  /** keys of the responders, this one's among them */
  readonly responders: Trusted;
  /** µs since the epoch */
  readonly now: () => number;
}

/** A Result before this responder signs it. */
type Answer = Omit<Result, 'keyId' | 'signature'>;

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
  const takeTokens = createTakeTokens(deps);

  return async function execute({ payload, attempt }) {
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
    const refused = attempt === 1 ? await takeTokens(command) : null;
    if (refused !== null) return refuse(deps, refused);
    await answer(deps, finalResult(await ask(deps, command, payload)));
    control.acknowledge(hostId, id);
  };
}

/** While the bus doesn't take it no attempt is used up: the second is of what had its token. */
async function refuse(deps: ExecutorDeps, refused: Answer): Promise<void> {
  try {
    await answer(deps, refused);
  } catch (error) {
    throw new PostponeError(LOOK_AGAIN_MS, messageOf(error));
  }
}

/** Onto the bus, to the responder that keeps account of the host. */
export async function answer({ bus, key }: Pick<ExecutorDeps, 'bus' | 'key'>, result: Answer): Promise<void> {
  await bus.produce([{ topic: TOPIC.answers, key: result.hostId, value: encodeSigned('Result', result, key) }]);
}

/**
 * The agent carries out an id once. When it says that it has done so already, its first answer was lost on the way: the command was executed, and a
 * `refused` would contradict that.
 */
export function finalResult(result: Answer): Answer {
  if (result.outcome !== 'refused' || result.reason !== 'already-executed') return result;
  return { ...result, outcome: 'executed' };
}

/** Commands that wait with a token in hand; beyond it one may be taken twice. */
const MAX_WAITING = 10_000;
/** Commands end sooner. */
const GRANTED_MS = 3_600_000;

/**
 * Gives null: go on; or a Result: the limit leaves no room in the command's time. Throws PostponeError until there is room, or while nobody can say.
 * Who has the token of one bucket and waits for the other's keeps it. A command that had its tokens at a responder its agent has left needs no others here: it may have been executed.
 */
function createTakeTokens(deps: ExecutorDeps): (command: Command) => Promise<Answer | null> {
  const { options, metrics, now } = deps;
  const held = new Set<string>();

  return async function takeTokens({ id, hostId, executable, expiresAt }) {
    const fleet = await waitFor(deps, 'kills/fleet', options.killsPerMinute, held, id);
    const host = fleet > 0 ? 0 : await waitFor(deps, `kills/host/${hostId}`, options.killsPerMinutePerHost, held, id);
    const short = Math.max(fleet, host);
    // A limit of 0, where nothing ever becomes free, stops everything.
    const granted = Number.isFinite(short) ? await timesGranted(deps, id, short === 0 ? 1 : 0) : 0;
    const waitMs = granted > 0 ? 0 : short;
    if (waitMs > 0 && now() + waitMs * 1000 < expiresAt) {
      metrics.waited('limited');
      throw new PostponeError(waitMs, 'no token is left');
    }
    for (const key of ['kills/fleet', `kills/host/${hostId}`]) held.delete(`${key} ${id}`);
    if (waitMs === 0) return null;
    metrics.waited('refused');
    return { id, hostId, outcome: 'refused', reason: 'rate-limited', executable, at: now() };
  };
}

/** How often a command has got its tokens, `more` of them now: of any responder. */
function timesGranted(deps: ExecutorDeps, id: string, more: number): Promise<number> {
  return orPostpone(deps, () => deps.coordination.count(`kills/granted/${id}`, more, GRANTED_MS));
}

async function orPostpone<T>({ metrics }: ExecutorDeps, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    metrics.waited('limits-away');
    throw new PostponeError(LOOK_AGAIN_MS, messageOf(error));
  }
}

/** 0: granted, now or before. Closed when nobody can say: without limits nothing is killed. */
async function waitFor(
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

/** Also while we close: what was sent is answered. */
async function ask(deps: ExecutorDeps, command: Command, bytes: Uint8Array): Promise<Result> {
  const { control, options, metrics } = deps;
  const { id, hostId } = command;
  try {
    const late = AbortSignal.timeout(options.controlTimeoutMs);
    const result = decode('Result', await control.execute(hostId, bytes, late));
    if (result.id !== id || result.hostId !== hostId)
      throw new ControlError(id, `the agent answered about ${result.id} of host ${result.hostId}`);
    return result;
  } catch (cause) {
    metrics.retried();
    if (cause instanceof ControlError) throw cause;
    throw new ControlError(id, `the agent could not be asked: ${messageOf(cause)}`, { cause });
  }
}
