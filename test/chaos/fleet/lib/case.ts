import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, Auditing } from './account.ts';
import type { ChaosFleet } from './fleet.ts';

/** What a case breaks, and mends before it resolves. */
export interface ChaosCase {
  readonly name: string;
  readonly title: string;
  readonly run: (fleet: ChaosFleet, how: CaseContext) => Promise<void>;
}

export interface CaseContext {
  readonly long: boolean;
  /** a number of the short form, or of the long one */
  readonly pick: (short: number, long: number) => number;
  readonly say: (what: string) => void;
}

export interface Outcome {
  readonly name: string;
  readonly account: Account;
  /** s from the end of the disturbance until all that was produced before it was stored; null: never */
  readonly recovery: number | null;
  /** services that ended though nobody stopped them */
  readonly ended: readonly string[];
  readonly failed: boolean;
}

/** After an hour of an outage there is more to catch up with than after twenty seconds. */
const PATIENCE_S = { short: 300, long: 1800 } as const;
const BEFORE_MS = 1500;
/** Each look refreshes indices and reads topics from where the case began. */
const LOOK_MS = 1000;

export async function runCase(fleet: ChaosFleet, one: ChaosCase, context: CaseContext): Promise<Outcome> {
  const auditing = new Auditing(fleet, (Date.now() - 1000) * 1000);
  for (const agent of fleet.agents) agent.begin();
  await sleep(BEFORE_MS);
  const failure = await one.run(fleet, context).then(
    () => null,
    (error: unknown) => `the case itself failed: ${error instanceof Error ? error.stack : error}`,
  );
  const healed = performance.now();
  const patience = PATIENCE_S[context.long ? 'long' : 'short'];
  const recovery = (await storedWithin(fleet, patience)) ? (performance.now() - healed) / 1000 : null;
  for (const agent of fleet.agents) agent.pause();
  const ended = await fleet.revive();
  const end = performance.now() + patience * 1000;
  while (!(await auditing.isComplete()) && performance.now() < end) await sleep(LOOK_MS);
  const found = await auditing.account();
  const account = failure === null ? found : { ...found, problems: [failure, ...found.problems] };
  const { rows, problems } = account;
  const bad = rows.some(({ lost, doubled }) => lost.length + doubled.length > 0) || problems.length > 0;
  return { name: one.name, account, recovery, ended, failed: bad || recovery === null || ended.length > 0 };
}

/** The last event of each host as it is now reaches the store. */
async function storedWithin({ agents, store }: ChaosFleet, seconds: number): Promise<boolean> {
  const last = agents.map((agent) => agent.last);
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(LOOK_MS))
    if ((await store.count(store.names.events, last)).size === last.length) return true;
  return false;
}
