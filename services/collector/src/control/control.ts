import type { KeyObject } from 'node:crypto';
import type { Log } from '@ringfence/base';
import type { Control } from '@ringfence/control/port';
import type { Interest } from '@ringfence/interest';
import {
  type Command,
  decode,
  encodeSigned,
  type Outcome,
  SchemaError,
  u64ToBigInt,
  verifyRecord,
} from '@ringfence/wire';
import type { ExecutedCommands } from './executed.ts';
import { type KillResult, killProcess } from './kill.ts';
import type { FindProcess, IsProtected } from './protected.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Refusal } from './reasons.ts';

/** How far ahead a command may expire, µs: as long as its id has to be remembered. */
const VALID_MAX = 3600 * 1_000_000;
const COMMAND_BYTES_MAX = 65_536;

export interface ControlDeps {
  readonly hostId: string;
  readonly bootId: string;
  readonly trustedKeys: Pick<ReadonlyMap<string, KeyObject>, 'get'>;
  readonly executed: ExecutedCommands;
  readonly limit: RateLimit;
  readonly find: FindProcess;
  readonly isProtected: IsProtected;
  readonly setInterest: (interest: Interest) => void;
  readonly log: Log;
  /** told of each answer */
  readonly count: (outcome: Outcome, reason: string) => void;
  /** µs since the epoch. @default the system's clock */
  readonly now?: () => number;
}

interface Answer {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly executable: string;
}

const refused = (reason: Refusal): Answer => ({ outcome: 'refused', reason, executable: '' });

/** The agent's side of the Control port: carries out what a trusted key has signed, once, against the very process it names. */
export class AgentControl implements Control {
  readonly hostId: string;
  readonly #deps: ControlDeps;
  readonly #now: () => number;

  constructor(deps: ControlDeps) {
    this.hostId = deps.hostId;
    this.#deps = deps;
    this.#now = deps.now ?? (() => Date.now() * 1000);
  }

  execute(bytes: Uint8Array): Promise<Uint8Array> {
    const command = readCommand(bytes);
    const answer = command === null ? refused('unreadable') : (this.#refuse(command, bytes) ?? this.#kill(command));
    const { log, count } = this.#deps;
    count(answer.outcome, answer.reason);
    const { outcome, reason } = answer;
    log.info({ command: command?.id, pid: command?.pid, outcome, reason }, `command ${outcome}`);
    const result = { id: command?.id ?? '', hostId: this.hostId, at: this.#now(), ...answer };
    return Promise.resolve(encodeSigned('Result', result, null));
  }

  /** Everything that can be said without looking at the process; the signature before all that it vouches for. */
  #refuse(command: Command, bytes: Uint8Array): Answer | null {
    const { hostId, bootId, trustedKeys, executed, limit } = this.#deps;
    const key = trustedKeys.get(command.keyId);
    if (key === undefined) return refused('unknown-key');
    if (!verifyRecord(key, bytes)) return refused('bad-signature');
    if (command.hostId !== hostId) return refused('wrong-host');
    if (command.mode !== 'enforce') return refused('not-enforced');
    if (command.bootId !== bootId) return refused('wrong-boot');
    if (executed.has(command.id)) return refused('already-executed');
    const now = this.#now();
    if (command.expiresAt <= now)
      return { outcome: 'expired', reason: 'expired before it was carried out', executable: '' };
    if (command.expiresAt > now + VALID_MAX || !/^[\x21-\x7e]{1,128}$/.test(command.id))
      return refused('expires-too-late');
    return limit.take(performance.now()) ? null : refused('rate-limited');
  }

  #kill(command: Command): Answer {
    const { executed, find, isProtected } = this.#deps;
    const target = { pid: command.pid, start: u64ToBigInt(command.start) };
    const commit = (): void => executed.add(command.id, command.expiresAt, this.#now());
    return answerOf(killProcess(target, find, isProtected, commit), command);
  }

  async setInterest(interest: Interest): Promise<void> {
    this.#deps.setInterest(interest);
  }
}

function answerOf(result: KillResult, command: Command): Answer {
  const { outcome, executable } = result;
  if (result.outcome === 'refused' || result.outcome === 'failed')
    return { outcome, reason: result.reason, executable };
  const changed = executable !== '' && command.executable !== '' && executable !== command.executable;
  return { outcome, reason: changed ? 'it had run another executable since' : '', executable };
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
