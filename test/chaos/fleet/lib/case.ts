import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, Auditing } from './account.ts';
import type { ChaosFleet } from './fleet.ts';

/** A failure of the fleet. `run` causes it and repairs it before it resolves. */
export interface ChaosCase {
  readonly name: string;
  readonly title: string;
  readonly run: (fleet: ChaosFleet, context: CaseContext) => Promise<void>;
}

export interface CaseContext {
  readonly long: boolean;
  /** Returns the number for the selected form, short or long. */
  readonly pick: (short: number, long: number) => number;
  readonly note: (text: string) => void;
}

export interface Outcome {
  readonly name: string;
  readonly account: Account;
  /** Time from the end of the failure until all events made by then were stored, s; null: not within the deadline */
  readonly recovery: number | null;
  /** Services that exited without being stopped */
  readonly ended: readonly string[];
  readonly failed: boolean;
}

/** An outage of an hour leaves a larger backlog than an outage of twenty seconds. */
const DEADLINE_S = { short: 300, long: 1800 } as const;
const WARM_UP_MS = 1500;
/** Long, because each check refreshes indices and reads topics from the start of the case. */
const CHECK_EVERY_MS = 1000;

export async function runCase(fleet: ChaosFleet, chaosCase: ChaosCase, context: CaseContext): Promise<Outcome> {
  const auditing = new Auditing(fleet, (Date.now() - 1000) * 1000);
  for (const agent of fleet.agents) agent.begin();
  await sleep(WARM_UP_MS);
  const failure = await chaosCase.run(fleet, context).then(
    () => null,
    (error: unknown) => `the case failed: ${error instanceof Error ? error.stack : error}`,
  );
  const repairedAt = performance.now();
  const deadlineS = DEADLINE_S[context.long ? 'long' : 'short'];
  const recovery = (await storedWithin(fleet, deadlineS)) ? (performance.now() - repairedAt) / 1000 : null;
  for (const agent of fleet.agents) agent.pause();
  const ended = await fleet.revive();
  const end = performance.now() + deadlineS * 1000;
  while (!(await auditing.isComplete()) && performance.now() < end) await sleep(CHECK_EVERY_MS);
  const found = await auditing.account();
  const account = failure === null ? found : { ...found, problems: [failure, ...found.problems] };
  const { rows, problems } = account;
  const isWrong = rows.some(({ lost, doubled }) => lost.length + doubled.length > 0) || problems.length > 0;
  return { name: chaosCase.name, account, recovery, ended, failed: isWrong || recovery === null || ended.length > 0 };
}

/** Returns whether the current last event of each host reaches the store in time. */
async function storedWithin({ agents, store }: ChaosFleet, seconds: number): Promise<boolean> {
  const last = agents.map((agent) => agent.last);
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(CHECK_EVERY_MS))
    if ((await store.count(store.names.events, last)).size === last.length) return true;
  return false;
}
