import { EventView, type Incident } from '@ringfence/wire';
import { kindNumber } from '../../chain.ts';
import type { FileHash } from '../../evidence.ts';
import { entityKey } from '../entity-keys.ts';
import { COLUMNS, payloadOf, type Row, type Trail } from './trail.ts';

/** A hash arrives some moments after its exec: the newest batches of a process have it. */
const NEWEST_BATCHES = 3;
const MAX_PROCESSES = 512;

/** Returns the hashes of the executables of an incident's processes, from its stored event batches. */
export function hashesOf(trail: Trail, { processes }: Incident): FileHash[] {
  const select = trail.db.prepare<[number, number], Row>(
    `SELECT ${COLUMNS} FROM entities e JOIN records r ON r.record = e.record
     WHERE e.entity = ? AND e.kind = ? ORDER BY e.record DESC LIMIT ${NEWEST_BATCHES}`,
  );
  const found = new Map<string, FileHash>();
  const view = new EventView();
  for (const { entityId } of processes.slice(0, MAX_PROCESSES)) {
    const key = entityKey(entityId);
    if (key === null) continue;
    for (const row of select.all(key, kindNumber.events)) {
      view.open(payloadOf(row));
      while (view.next()) if (view.process?.entityId === entityId) break;
      const { process } = view;
      if (process?.entityId !== entityId || process.raw.sha256.length === 0) continue;
      const hash = { path: process.executable, sha256: Buffer.from(process.raw.sha256).toString('hex') };
      found.set(`${hash.path} ${hash.sha256}`, hash);
      break;
    }
  }
  return [...found.values()];
}
