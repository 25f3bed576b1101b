import type { OutRecord } from '@ringfence/bus';
import type { InputPosition } from '@ringfence/service-kit';
import { type Command, decode, encodeSigned, type Result, type SigningKey, TOPIC } from '@ringfence/wire';
import type { CompiledResponderOptions } from './config.ts';
import type { ResponderMetrics } from './metrics.ts';
import { OPERATOR } from './operator-order.ts';
import { isOfPlaybook } from './policy/policy.ts';
import type { CommandEntry } from './state/codec.ts';
import type { Memory } from './state/memory.ts';
import type { TraceSteps } from './steps/trace.ts';

/**
 * The states of a command. The partition of its cause orders it; the partition of its host owns it from then on.
 *
 *     ordered   It was written to ringfence.commands and has not been read from there.
 *               → open      It was read and admitted.
 *               → done      It was read and refused: a kill of the process is under way, or the limit is reached.
 *               → answered  Its answer was read first: nothing orders one topic after the other.
 *     open      The router brings it to its agent again and again, and answers `expired` when its time is over.
 *               → done      The first answer was read.
 *     answered  → done      The command was read.
 *     done      It has its one Result. Repeated commands and answers change nothing.
 */
export type CommandState = 'ordered' | CommandEntry['state'];

/** A command that waits for its answer. */
export type OpenCommand = Extract<CommandEntry, { readonly state: 'open' }> & { readonly id: string };

export interface CommandDeps {
  readonly options: CompiledResponderOptions;
  /** Signs Results and feedback. */
  readonly key: SigningKey;
  readonly memory: Memory;
  readonly metrics: ResponderMetrics;
  readonly tracing: TraceSteps;
  /** Called when there is a command to route. */
  readonly onOpen: () => void;
  /** Called with each Result of an enforced command; returns what it leads to. */
  readonly onResult: (command: Command, result: FinalResult, position: InputPosition) => readonly OutRecord[];
}

/** A command as its cause orders it. */
export interface Ordered {
  readonly id: string;
  readonly entityId: string;
  /** The alert about the process, for traces. */
  readonly alertId: string;
  /** µs since the epoch */
  readonly issuedAt: number;
  readonly mode: Command['mode'];
}

type FinalResult = Pick<Result, 'id' | 'hostId' | 'outcome' | 'at' | 'children' | 'reason'>;

const WINDOW_US = 60_000_000;
const NOTE_MAX = 512;

const processKey = (entityId: string): string => `entity/${entityId}`;

/** The commands of one partition: every change of a command's state is here. */
export class Commands {
  readonly #deps: CommandDeps;

  constructor(deps: CommandDeps) {
    this.#deps = deps;
  }

  /** Returns undefined for a command that this partition does not know. */
  stateOf(id: string): CommandState | undefined {
    const { commands, orders } = this.#deps.memory;
    return commands.get(id)?.state ?? (orders.get(id) === undefined ? undefined : 'ordered');
  }

  /** Returns whether another command than `id` for this process was issued and has not expired at `at`. */
  isUnderWay(entityId: string, at: number, id = ''): boolean {
    const { memory, options } = this.#deps;
    const latest = memory.orders.get(processKey(entityId));
    // An entry of 0.1.0 does not name its command, which may be this one.
    if (latest === undefined || (id !== '' && [id, ''].includes(latest.commandId))) return false;
    return Math.abs(at - latest.at) < options.commandTtlMs * 1000;
  }

  /** New → ordered. The caller writes the command. */
  order({ id, entityId, alertId, issuedAt, mode }: Ordered, position: InputPosition): void {
    const { orders } = this.#deps.memory;
    const order = { at: issuedAt, commandId: id, alertId };
    orders.set(id, order, position);
    if (mode === 'enforce' && entityId !== '') orders.set(processKey(entityId), order, position);
  }

  /** Ordered → open or done; answered → done. `bytes`: the framed command, whose signature was verified. */
  take(command: Command, bytes: Uint8Array, position: InputPosition): readonly OutRecord[] {
    const { memory, onOpen } = this.#deps;
    const { id } = command;
    const known = memory.commands.get(id);
    if (known?.state === 'done') return [];
    if (known?.state === 'answered') {
      this.#setDone(command, position);
      return this.#finish(bytes, decode('Result', known.answer), known.answer, position);
    }
    if (known === undefined) {
      const refusal = this.#refusalOf(command, position);
      if (refusal !== null) return this.#refuse(command, bytes, refusal, position);
      const { hostId, expiresAt } = command;
      // A copy: `bytes` is a view of all that was fetched with it.
      memory.commands.set(id, { state: 'open', hostId, expiresAt, command: Buffer.from(bytes) }, position);
    }
    onOpen();
    return [];
  }

  /** Open → done; ordered → answered. `bytes`: the framed Result, whose signature was verified. */
  answer(result: Result, bytes: Uint8Array, position: InputPosition): readonly OutRecord[] {
    const { memory, metrics } = this.#deps;
    const { id, hostId, at } = result;
    const known = memory.commands.get(id);
    if (known === undefined) {
      memory.commands.set(id, { state: 'answered', hostId, expiresAt: at, answer: Buffer.from(bytes) }, position);
      return [];
    }
    if (known.state !== 'open') {
      if (known.state === 'done') metrics.answersAgain++;
      return [];
    }
    this.#setDone({ id, ...known }, position);
    return this.#finish(known.command, result, bytes, position);
  }

  /** Returns null if the command is admitted, which takes one kill from the limit of its host. */
  #refusalOf(command: Command, position: InputPosition): 'under-way' | 'rate-limited' | null {
    if (!takesToken(command)) return null;
    const { id, hostId, issuedAt } = command;
    const { orders } = this.#deps.memory;
    const entityId = isOfPlaybook(command) ? '' : command.entityId;
    const key = processKey(entityId);
    if (entityId !== '' && this.isUnderWay(entityId, issuedAt, id)) return 'under-way';
    const order = orders.get(key);
    if (!this.#takeKill(hostId, issuedAt, position)) {
      if (order?.commandId === id) orders.delete(key, position);
      return 'rate-limited';
    }
    if (entityId !== '' && order?.commandId !== id)
      orders.set(key, { at: issuedAt, commandId: id, alertId: '' }, position);
    return null;
  }

  /**
   * Takes one of the kills of the host's minute, and returns false if none is left. A time before the newest kill
   * counts as the time of that kill, so that a wrong clock does not open the window again.
   */
  #takeKill(hostId: string, at: number, position: InputPosition): boolean {
    const { memory, options } = this.#deps;
    const kills = memory.limits.get(hostId)?.kills ?? [];
    const now = Math.max(at, kills.at(-1) ?? 0);
    const recent = kills.filter((kill) => kill > now - WINDOW_US);
    if (recent.length >= options.killsPerMinutePerHost) return false;
    memory.limits.set(hostId, { kills: [...recent, now] }, position);
    return true;
  }

  #refuse(
    command: Command,
    bytes: Uint8Array,
    reason: 'under-way' | 'rate-limited',
    position: InputPosition,
  ): readonly OutRecord[] {
    const { key, metrics } = this.#deps;
    const { id, hostId, executable, issuedAt } = command;
    this.#setDone(command, position);
    if (reason === 'under-way') metrics.underWay++;
    else metrics.refused(reason);
    // Nothing of the clock: after a crash the same bytes are written again.
    const result = {
      id,
      hostId,
      outcome: 'refused',
      reason,
      executable,
      at: issuedAt,
      children: -1,
      facts: {},
    } as const;
    return this.#finish(bytes, result, encodeSigned('Result', result, key), position);
  }

  #setDone({ id, hostId, expiresAt }: Pick<Command, 'id' | 'hostId' | 'expiresAt'>, position: InputPosition): void {
    this.#deps.memory.commands.set(id, { state: 'done', hostId, expiresAt }, position);
  }

  #finish(bytes: Uint8Array, result: FinalResult, value: Uint8Array, position: InputPosition): readonly OutRecord[] {
    const { metrics, tracing, key, onResult } = this.#deps;
    metrics.answered(result.outcome);
    tracing.answered(bytes, result);
    const command = decode('Command', bytes);
    return [
      { topic: TOPIC.results, key: result.hostId, value },
      ...containedBy(command, result, key),
      ...onResult(command, result, position),
    ];
  }
}

/**
 * Policies and playbooks have limits. People have none: an attacker who provokes kills must not stop theirs. Nor has
 * what takes an action back.
 */
export const takesToken = ({ policy, act }: Pick<Command, 'policy' | 'act'>): boolean =>
  policy !== OPERATOR && act !== 'undo';

export function openCommands({ commands }: Memory): OpenCommand[] {
  return [...commands.entries()].flatMap(([id, entry]) => (entry.state === 'open' ? [{ id, ...entry }] : []));
}

/**
 * Returns the feedback to the detector about a kill that was carried out and left no descendant alive: the incident of
 * its cause is contained. An agent of 0.1.0 doesn't count the descendants.
 */
function containedBy(
  { cause, hostId, act, executable, pid, policy }: Command,
  { outcome, at, children }: Pick<Result, 'outcome' | 'at' | 'children'>,
  key: SigningKey,
): OutRecord[] {
  if (outcome !== 'executed' || children !== 0) return [];
  // Only a kill ends an attack, and an operator's may be about no incident.
  if (act !== 'kill' || cause === '') return [];
  const note = `${act} ${executable} (pid ${pid}), policy ${policy}`.slice(0, NOTE_MAX);
  const change = { status: 'contained', verdict: 'undecided', by: 'responder', note, at } as const;
  const value = encodeSigned('Feedback', { subject: cause, hostId, change, incident: null }, key);
  return [{ topic: TOPIC.feedback, key: hostId, value }];
}
