import type { CheckName, Finding } from '@ringfence/host-kit';

export interface CheckResult {
  readonly check: CheckName;
  /** Why it could not be looked at, or only in part; empty: it was, all of it. */
  readonly unseen: string;
  readonly findings: readonly Finding[];
}

/** What one look remembers for the next. */
export interface Remembered {
  /** code is compared within one boot only: it lies elsewhere in the next */
  readonly bootId: string;
  /** SHA-256 of code, by what it belongs to */
  readonly code: Readonly<Record<string, string>>;
  /** values that nobody changes without a reason, by path */
  readonly values: Readonly<Record<string, string>>;
}

export const result = (
  check: CheckName,
  found: readonly (readonly [subject: string, detail: string])[],
  unseen = '',
): CheckResult => ({ check, unseen, findings: found.map(([subject, detail]) => ({ check, subject, detail })) });
