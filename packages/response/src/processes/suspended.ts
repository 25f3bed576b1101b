import { z } from 'zod';

export const PID_MAX = 4_194_304;
const SAVED_MAX = 100_000;

/** A process in a file: JSON has no 64-bit numbers. */
interface SavedProcess {
  readonly tgid: number;
  readonly start: string;
}

/** What takes a suspension back. */
export interface Suspended {
  readonly root: SavedProcess | null;
  readonly cgroup: string;
  readonly session: number;
  readonly loginSession: number;
  readonly processes: readonly SavedProcess[];
  /** stopped before the action, and left so */
  readonly stopped: readonly SavedProcess[];
}

const u64: z.ZodType<string> = z.string().regex(/^\d{1,20}$/);
const savedProcess: z.ZodType<SavedProcess> = z.strictObject({ tgid: z.int().min(2).max(PID_MAX), start: u64 });
export const suspended: z.ZodType<Suspended> = z.strictObject({
  root: savedProcess.nullable(),
  cgroup: u64,
  session: z.int().min(0),
  loginSession: z.int().min(0),
  processes: z.array(savedProcess).max(SAVED_MAX),
  stopped: z.array(savedProcess).max(SAVED_MAX),
});

export const saved = ({ tgid, start }: { readonly tgid: number; readonly start: bigint }): SavedProcess => ({
  tgid,
  start: String(start),
});
