import type { KeyObject } from 'node:crypto';
import type { Log } from '@ringfence/base';
import type { Control } from '@ringfence/control/port';
import type { Interest } from '@ringfence/interest';
import type { ActionRunner, FindProcess, IsProtected } from '@ringfence/response';
import {
  askedOf,
  type Command,
  decode,
  encodeSigned,
  type Outcome,
  SchemaError,
  u64FromBigInt,
  u64ToBigInt,
  verifyRecord,
} from '@ringfence/wire';
import { ExecutedCommands } from './executed.ts';
import { countLiving, type KillResult, killProcess, type ListProcesses } from './kill.ts';
import { RateLimit } from './rate-limit.ts';
import type { Refusal } from './reasons.ts';
import { CommandValidity, HOST_CLOCK, type HostClock } from './validity.ts';

const COMMAND_BYTES_MAX = 65_536;

/** Public keys whose commands are obeyed, by key id. */
export interface CommandKeys extends Pick<ReadonlyMap<string, KeyObject>, 'get'> {
  /** Whether every key is refused, because the fleet's standing is missing or too old. @default false */
  readonly trustsNobody?: boolean;
}

export interface AgentControlOptions {
  readonly hostId: string;
  readonly bootId: string;
  readonly trustedKeys: CommandKeys;
  /** Directory of the list of executed commands; created when missing */
  readonly stateDir: string;
  /** Maximum number of kills in any 60 s; further commands are refused */
  readonly killsPerMinute: number;
  readonly find: FindProcess;
  /** Counts the descendants of a killed process. @default their number is not known */
  readonly list?: ListProcesses;
  readonly isProtected: IsProtected;
  /** Carries out everything but the kill of one process. @default such commands are refused */
  readonly actions?: ActionRunner;
  readonly setInterest: (interest: Interest) => void;
  readonly log: Log;
  /** @default the clocks of this host */
  readonly clock?: HostClock;
  /** Called with each answer. @default none */
  readonly onAnswer?: (outcome: Outcome, reason: string) => void;
}

interface Answer {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly executable: string;
  /** Descendants of the killed process that live on; -1: not known, or nothing was killed */
  readonly children: number;
  /** What was done, or would be */
  readonly facts: Readonly<Record<string, string>>;
}

const NOTHING_KILLED = { executable: '', children: -1, facts: {} };
const refused = (reason: Refusal): Answer => ({ ...NOTHING_KILLED, outcome: 'refused', reason });

/**
 * Creates the agent's side of the Control port. It carries out a command once, if a trusted key has signed it, and only
 * against the very process that the command names. Throws when the list of executed commands cannot be read.
 */
export function createAgentControl(options: AgentControlOptions): Control {
  return new AgentControl(options);
}

class AgentControl implements Control {
  readonly hostId: string;
  readonly #options: AgentControlOptions;
  readonly #executed: ExecutedCommands;
  readonly #limit: RateLimit;
  readonly #clock: HostClock;
  readonly #validity: CommandValidity;

  constructor(options: AgentControlOptions) {
    this.hostId = options.hostId;
    this.#options = options;
    this.#clock = options.clock ?? HOST_CLOCK;
    this.#validity = new CommandValidity(this.#clock);
    this.#executed = new ExecutedCommands(options.stateDir, this.#validity.now());
    this.#limit = new RateLimit(options.killsPerMinute);
  }

  async execute(bytes: Uint8Array): Promise<Uint8Array> {
    const command = readCommand(bytes);
    const answer =
      command === null ? refused('unreadable') : (this.#refuse(command, bytes) ?? (await this.#carryOut(command)));
    const { log, onAnswer } = this.#options;
    onAnswer?.(answer.outcome, answer.reason);
    const { outcome, reason, children } = answer;
    log.info({ command: command?.id, pid: command?.pid, outcome, reason, children }, `command ${outcome}`);
    const result = { id: command?.id ?? '', hostId: this.hostId, at: this.#clock.realtime(), ...answer };
    return encodeSigned('Result', result, null);
  }

  /**
   * Checks everything that does not depend on the process, and returns the answer when the command must not be carried
   * out. The signature comes before the fields that it covers.
   */
  #refuse(command: Command, bytes: Uint8Array): Answer | null {
    const { hostId, bootId, trustedKeys } = this.#options;
    const key = trustedKeys.get(command.keyId);
    if (key === undefined) return refused(trustedKeys.trustsNobody === true ? 'no-standing' : 'unknown-key');
    if (!verifyRecord(key, bytes)) return refused('bad-signature');
    if (command.hostId !== hostId) return refused('wrong-host');
    if (askedOf(command) === 'observe') return refused('not-enforced');
    if (command.bootId !== bootId && !holdsForAnyBoot(command)) return refused('wrong-boot');
    if (!this.#knows(command)) return refused('unknown-action');
    if (this.#executed.has(command.id)) return refused('already-executed');
    if (!/^[\x21-\x7e]{1,128}$/.test(command.id)) return refused('expires-too-late');
    const validity = this.#validity.judge(command.expiresAt);
    if (validity === 'expired')
      return { ...NOTHING_KILLED, outcome: 'expired', reason: 'expired before it was carried out' };
    if (validity !== 'valid') return refused(validity);
    // A plan changes nothing. A command that comes again, and what takes an action back, are not held up.
    const { actions } = this.#options;
    if (askedOf(command) === 'plan' || command.act === 'undo' || actions?.has(command.id) === true) return null;
    return this.#limit.take(performance.now()) ? null : refused('rate-limited');
  }

  #knows(command: Command): boolean {
    const { actions } = this.#options;
    const isPlan = askedOf(command) === 'plan';
    if (isKillOfProcess(this.#options, command)) return !isPlan;
    if (command.act === 'undo') return actions !== undefined && !isPlan;
    return actions?.knows(command.act) ?? false;
  }

  #carryOut(command: Command): Promise<Answer> {
    return isKillOfProcess(this.#options, command) ? this.#kill(command) : this.#act(command);
  }

  async #act(command: Command): Promise<Answer> {
    const actions = this.#options.actions as ActionRunner;
    const { id, act, cause, policy, reason, until, executable } = command;
    const aimed = this.#aimed(command);
    if (aimed.pid !== 0 && u64ToBigInt(aimed.start) === 0n)
      return { ...NOTHING_KILLED, outcome: 'gone', reason: `no process ${aimed.pid} runs` };
    const order = { id, kind: act, parameters: parametersOf(aimed), until, cause, who: policy, why: reason };
    const answer =
      act === 'undo'
        ? await actions.undo(command.parameters['command'] ?? '')
        : await (askedOf(command) === 'plan' ? actions.plan(order) : actions.run(order));
    const left = answer.outcome === 'executed' && act === 'kill' ? Number(answer.facts['left'] ?? -1) : -1;
    const facts = aimed === command ? answer.facts : { ...answer.facts, ...this.#aimOf(aimed) };
    const outcome = answer.outcome === 'planned' ? 'observed' : answer.outcome;
    return { ...answer, outcome, facts, executable: aimed.executable || executable, children: left };
  }

  /** Gives the plan for a pid the start and the executable of its process, which the operator's command lacks. */
  #aimed(command: Command): Command {
    if (askedOf(command) !== 'plan' || command.pid === 0 || u64ToBigInt(command.start) !== 0n) return command;
    const found = this.#options.find(command.pid);
    return found === null ? command : { ...command, start: u64FromBigInt(found.start), executable: found.executable };
  }

  /** What an operator's command for the process needs. */
  #aimOf({ start, executable }: Command): Record<string, string> {
    return { start: String(u64ToBigInt(start)), boot: this.#options.bootId, executable };
  }

  /** Signals before it returns its promise. */
  async #kill(command: Command): Promise<Answer> {
    const { find, list, isProtected } = this.#options;
    const target = { pid: command.pid, start: u64ToBigInt(command.start) };
    const commit = (): void => this.#executed.add(command.id, command.expiresAt, this.#validity.now());
    const result = killProcess(target, find, isProtected, commit, list);
    const children = result.outcome === 'executed' ? await countLiving(result.descendants, find) : -1;
    return { ...answerOf(result, command), children, facts: {} };
  }

  async setInterest(interest: Interest): Promise<void> {
    this.#options.setInterest(interest);
  }
}

function answerOf(result: KillResult, command: Command): Omit<Answer, 'children' | 'facts'> {
  const { outcome, executable } = result;
  if (result.outcome === 'refused' || result.outcome === 'failed')
    return { outcome, reason: result.reason, executable };
  const changed = executable !== '' && command.executable !== '' && executable !== command.executable;
  return {
    outcome,
    reason: changed ? 'the process was running another executable than the command names' : '',
    executable,
  };
}

/** An agent that cannot reach a tree kills its process: the answer counts the descendants that live on. */
function isKillOfProcess(
  { actions }: Pick<AgentControlOptions, 'actions'>,
  { act, reach }: Pick<Command, 'act' | 'reach'>,
): boolean {
  return act === 'kill' && (reach === 'process' || (reach === 'tree' && actions?.knows('kill') !== true));
}

/** A process lives in one boot; an address or a file outlives it. */
const holdsForAnyBoot = (command: Command): boolean =>
  command.bootId === '' && (askedOf(command) === 'plan' || command.pid === 0);

/** Actions on processes have their target in fields of the command. */
function parametersOf({ act, pid, start, reach, parameters }: Command): unknown {
  if (act === 'kill' || act === 'suspend') return { ...parameters, pid, start: u64ToBigInt(start), reach };
  return pid === 0 ? parameters : { ...parameters, pid: String(pid), start: String(u64ToBigInt(start)) };
}

function readCommand(bytes: Uint8Array): Command | null {
  if (bytes.length > COMMAND_BYTES_MAX) return null;
  try {
    return decode('Command', bytes);
  } catch (error) {
    if (error instanceof SchemaError) return null;
    throw error;
  }
}
