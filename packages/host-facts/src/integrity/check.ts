import type { CheckName, Finding } from '@ringfence/host-kit';

export interface CheckResult {
  readonly check: CheckName;
  /** Why the check could not be made, or only in part; empty if it was complete. */
  readonly unseen: string;
  readonly findings: readonly Finding[];
}

/** State that one run keeps for the next, to find changes. */
export interface Remembered {
  /** code is compared only within one boot, because its addresses change */
  readonly bootId: string;
  /** SHA-256 of kernel code, by the name of the function */
  readonly code: Readonly<Record<string, string>>;
  /** settings that rarely change, by path */
  readonly values: Readonly<Record<string, string>>;
}

export const result = (
  check: CheckName,
  found: readonly (readonly [subject: string, detail: string])[],
  unseen = '',
): CheckResult => ({ check, unseen, findings: found.map(([subject, detail]) => ({ check, subject, detail })) });
