import assert from 'node:assert/strict';
import type { AuditReader } from '@ringfence/auditor';
import { EventView } from '@ringfence/wire';

const MARK = /rfmark(\d+)z/;

/** How often each marker was stored as an execution and as an alert. */
export interface Account {
  readonly executions: ReadonlyMap<number, number>;
  readonly alerts: ReadonlyMap<number, number>;
  /** Gaps in the trail */
  readonly gaps: number;
}

export async function accountOf(audit: AuditReader): Promise<Account> {
  const executions = new Map<number, number>();
  const alerts = new Map<number, number>();
  const view = new EventView();
  for (const { kind, id, payload } of audit.search('rfmark*', 1_000_000)) {
    // Lane 0 has the kernel's events. A restart reports running processes again, in lane 17.
    if (kind !== 'execution' || id.split('/')[3] !== '0') continue;
    view.open(payload);
    view.next();
    const [program, mark] = view.process?.args ?? [];
    if (program === '/bin/true') count(executions, mark);
  }
  for await (const { rule, output } of audit.alerts({ limit: 1_000_000 })) if (rule === 'Marker') count(alerts, output);
  return { executions, alerts, gaps: audit.stats().counts.gap };
}

function count(map: Map<number, number>, text: string | undefined): void {
  const found = MARK.exec(text ?? '')?.[1];
  if (found !== undefined) map.set(Number(found), (map.get(Number(found)) ?? 0) + 1);
}

/** Asserts that no marker is stored twice, and that none is missing unless the trail has gaps. */
export function assertComplete(account: Account, markers: number): void {
  for (const [name, seen] of [
    ['executions', account.executions],
    ['alerts', account.alerts],
  ] as const) {
    const all = Array.from({ length: markers }, (_, n) => n);
    const duplicates = all.filter((n) => (seen.get(n) ?? 0) > 1);
    assert.deepEqual(duplicates, [], `${name} were stored more than once`);
    const missing = all.filter((n) => !seen.has(n));
    if (account.gaps === 0) assert.deepEqual(missing, [], `${name} are missing without a gap in the trail`);
  }
}

/**
 * Asserts that each process has one command, which was carried out once, that incidents share no alert, and that the
 * trail is intact.
 */
export async function assertConsistent(audit: AuditReader): Promise<void> {
  const commands = await Array.fromAsync(audit.commands({ limit: 1_000_000 }));
  const results = await Array.fromAsync(audit.results({ limit: 1_000_000 }));
  assert.equal(new Set(commands.map(({ entityId }) => Buffer.from(entityId).toString('hex'))).size, commands.length);
  assert.deepEqual(
    results.map(({ id, outcome, reason }) => ({ id, outcome, reason })).filter(({ outcome }) => outcome !== 'executed'),
    [],
  );
  assert.deepEqual(results.map(({ id }) => id).sort(), commands.map(({ id }) => id).sort());
  const incidents = await Array.fromAsync(
    audit.incidents({ limit: 1_000_000, where: ({ state }) => state !== 'merged' }),
  );
  const alerts = incidents.flatMap((incident) => incident.alerts.map(({ id }) => id));
  assert.equal(new Set(alerts).size, alerts.length, 'an alert belongs to more than one incident');
  assert.deepEqual(audit.verify().problems, []);
  assert.deepEqual(audit.stats().dropped, []);
  assert.equal(audit.stats().counts.dlq, 0);
}
