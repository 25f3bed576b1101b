/** Why a command was not carried out: the closed set of `Result.reason` of refused commands. */
export type Refusal =
  /** The bytes are not a Command. */
  | 'unreadable'
  /** No trusted key has this id. */
  | 'unknown-key'
  /** The agent trusts no key, because the fleet's standing is missing or too old. */
  | 'no-standing'
  /** The signature was not made with that key. */
  | 'bad-signature'
  /** An observe command is recorded, never carried out. */
  | 'not-enforced'
  /** This agent does not know the action. */
  | 'unknown-action'
  /** The command is for another host. */
  | 'wrong-host'
  /** The host has booted again since. */
  | 'wrong-boot'
  /** The command would stay valid longer than ids of executed commands are kept, or its id is malformed. */
  | 'expires-too-late'
  /** The host's clock was set since the agent's start, and the command is not valid by either time. */
  | 'clock-set'
  /** The command was carried out before, or an attempt to carry it out has begun. */
  | 'already-executed'
  /** The agent's limit of kills per minute is reached. */
  | 'rate-limited'
  /** The process must never be killed. */
  | 'protected'
  /** The pid belongs to another process by now. */
  | 'not-the-process'
  /** The start time of the process cannot be read. */
  | 'not-verifiable';
