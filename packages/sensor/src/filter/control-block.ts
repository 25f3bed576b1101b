import { records } from '@ringfence/wire';

const AGENT_TGID = records.CONTROL_AGENT_TGID / 4;
const AGENT_START = records.CONTROL_AGENT_START / 4;
const PARTNER_TGID = records.CONTROL_PARTNER_TGID / 4;
const PARTNER_START = records.CONTROL_PARTNER_START / 4;
const ALL_OPENS = records.CONTROL_ALL_OPENS / 4;
const SLEEPING = records.CONTROL_SLEEPING / 4;
const WATCHED_HEADS = records.CONTROL_WATCHED_HEADS / 4;
const GENERATION = records.CONTROL_GENERATION / 4;
const SHARE_INTERVAL = records.CONTROL_SHARE_INTERVAL / 4;
const SHARE_BURST = records.CONTROL_SHARE_BURST / 4;
const SHARE_FROM = records.CONTROL_SHARE_FROM / 4;
const BYTE_SHARE_INTERVAL = records.CONTROL_BYTE_SHARE_INTERVAL / 4;
const BYTE_SHARE_BURST = records.CONTROL_BYTE_SHARE_BURST / 4;
const BYTE_SHARE_FROM = records.CONTROL_BYTE_SHARE_FROM / 4;
const BYTE_SHARE_UNTIL = records.CONTROL_BYTE_SHARE_UNTIL / 4;
const NOTHING_NAMED = records.CONTROL_NOTHING_NAMED / 4;
const EXECUTABLES_NAMED = records.CONTROL_EXECUTABLES_NAMED / 4;
const CHANGED_HEADS = records.CONTROL_CHANGED_HEADS / 4;
const CHANGES_NAMED = records.CONTROL_CHANGES_NAMED / 4;
const AGENT_CGROUP = records.CONTROL_AGENT_CGROUP / 4;
const PARTNER_CGROUP = records.CONTROL_PARTNER_CGROUP / 4;
const RAW_PATHS = records.CONTROL_RAW_PATHS / 4;
const ALL_VARIABLES = records.CONTROL_ALL_VARIABLES / 4;
const VARIABLES_NAMED = records.CONTROL_VARIABLES_NAMED / 4;
/** Words that the sensor's programs write too. */
const SHARED_WORDS: ReadonlySet<number> = new Set([SLEEPING, SLEEPING + 1]);

/** Limits on the events of one cgroup while a ring fills up. */
export interface Shares {
  readonly perSecond: number;
  readonly burst: number;
  /** fill level of each ring from which the limits apply */
  readonly fromBytes: readonly [security: number, bulk: number];
}

/** Limit on the bytes that one cgroup may write to a ring while it fills up. */
export interface ByteShare {
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
  /** fill level of the ring from which bytes are charged, and records over the share are slim */
  readonly fromBytes: number;
  /** fill level of the ring from which records over the share are dropped */
  readonly untilBytes: number;
}

interface ProcessIdentity {
  readonly tgid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: bigint;
  /** id of its cgroup in the v2 hierarchy */
  readonly cgroup: bigint;
}

/** Writes struct rf_control in the sensor's .bss: the settings that the programs read for each event. */
export class ControlBlock {
  readonly #words: Int32Array;
  /** Copy of the last words that this agent, or an earlier one, wrote. */
  readonly #written: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
    this.#written = Int32Array.from(words);
  }

  /** Writes again the words that another process has changed. Returns their number. */
  restore(): number {
    let changed = 0;
    for (const [word, value] of this.#written.entries()) {
      if (SHARED_WORDS.has(word) || Atomics.load(this.#words, word) === value) continue;
      changed++;
      Atomics.store(this.#words, word, value);
    }
    return changed;
  }

  #store(word: number, value: number): void {
    this.#written[word] = value;
    Atomics.store(this.#words, word, value);
  }

  /** The agent: the sensor drops its file and network events, and reports what is done to it. null: no agent runs. */
  set agent(agent: ProcessIdentity | null) {
    this.#identify(AGENT_TGID, AGENT_START, agent);
    this.#store64(AGENT_CGROUP, agent?.cgroup ?? 0n);
  }

  /** The unprivileged process beside the agent: the sensor reports what is done to it, and also its own events. */
  set partner(partner: ProcessIdentity | null) {
    this.#identify(PARTNER_TGID, PARTNER_START, partner);
    this.#store64(PARTNER_CGROUP, partner?.cgroup ?? 0n);
  }

  /** Clears the pid while the start changes, so that no other process with this pid matches. */
  #identify(tgidWord: number, startWord: number, process: ProcessIdentity | null): void {
    this.#store(tgidWord, 0);
    this.#store64(startWord, process?.start ?? 0n);
    this.#store(tgidWord, process?.tgid ?? 0);
  }

  set allOpens(all: boolean) {
    this.#store(ALL_OPENS, all ? 1 : 0);
  }

  /** See `headsOf`. With fewer bits set, the sensor has to assemble fewer paths. */
  set watchedHeads(bits: bigint) {
    this.#store64(WATCHED_HEADS, bits);
  }

  set watchingNames(any: boolean) {
    this.#store(NOTHING_NAMED, any ? 0 : 1);
  }

  set watchingExecutables(any: boolean) {
    this.#store(EXECUTABLES_NAMED, any ? 1 : 0);
  }

  /** Like `watchedHeads`, for the prefixes that are watched for changes only. */
  set changedHeads(bits: bigint) {
    this.#store64(CHANGED_HEADS, bits);
  }

  set watchingChangedNames(any: boolean) {
    this.#store(CHANGES_NAMED, any ? 1 : 0);
  }

  /** Whether opens and changes of files also have their paths as the caller passed them. */
  set rawPaths(any: boolean) {
    this.#store(RAW_PATHS, any ? 1 : 0);
  }

  /** Whether execs have every environment variable. */
  set allVariables(all: boolean) {
    this.#store(ALL_VARIABLES, all ? 1 : 0);
  }

  set watchingVariables(any: boolean) {
    this.#store(VARIABLES_NAMED, any ? 1 : 0);
  }

  /** null removes all limits. */
  set shares(shares: Shares | null) {
    this.#store(SHARE_FROM, 0);
    this.#store(SHARE_FROM + 1, 0);
    if (shares === null) return;
    const interval = BigInt(Math.round(1e9 / shares.perSecond));
    this.#store64(SHARE_INTERVAL, interval);
    this.#store64(SHARE_BURST, interval * BigInt(shares.burst));
    this.#store(SHARE_FROM, shares.fromBytes[0]);
    this.#store(SHARE_FROM + 1, shares.fromBytes[1]);
  }

  /** By lane. null removes the limit. */
  set byteShares(shares: readonly [security: ByteShare | null, bulk: ByteShare | null]) {
    for (const [lane, share] of shares.entries()) {
      this.#store(BYTE_SHARE_FROM + lane, 0);
      if (share === null) continue;
      const interval = (1e9 * 1024) / share.bytesPerSecond;
      this.#store64(BYTE_SHARE_INTERVAL + 2 * lane, BigInt(Math.round(interval)));
      this.#store64(BYTE_SHARE_BURST + 2 * lane, BigInt(Math.round((interval * share.burstBytes) / 1024)));
      this.#store(BYTE_SHARE_UNTIL + lane, share.untilBytes);
      this.#store(BYTE_SHARE_FROM + lane, share.fromBytes);
    }
  }

  #store64(word: number, value: bigint): void {
    this.#store(word, Number(BigInt.asIntN(32, value)));
    this.#store(word + 1, Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Generation of the interest in force. 0: there is none, and everything is sent. */
  get generation(): number {
    return this.#written[GENERATION] as number;
  }

  set generation(generation: number) {
    this.#store(GENERATION, generation);
  }

  /** Makes the next record of any ring wake the reader. Check the rings once more before sleeping. */
  arm(): void {
    Atomics.store(this.#words, SLEEPING, 1);
    Atomics.store(this.#words, SLEEPING + 1, 1);
  }

  disarm(): void {
    Atomics.store(this.#words, SLEEPING, 0);
    Atomics.store(this.#words, SLEEPING + 1, 0);
  }
}
