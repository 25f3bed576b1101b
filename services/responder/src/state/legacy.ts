/**
 * Reads state entries that 0.1.0 wrote as JSON. Remove this file, its test and its fixture once no installation
 * upgrades from 0.1.0; each entry becomes Avro with its first change.
 */
import type { LegacyConverters } from '@ringfence/service-kit';
import type { StateCommand } from '@ringfence/wire';

/** Names of the records of the responder's state entries. */
export type ResponderState = 'StateOrder' | 'StateKillLimit' | 'StateCommand';

interface OldOrder {
  readonly at: number;
  readonly alert?: string;
}

/** The records are base64. */
interface OldCommand {
  readonly hostId: string;
  readonly expiresAt: number;
  readonly command: string | null;
  readonly answer: string | null;
}

export const LEGACY: LegacyConverters<ResponderState> = {
  StateOrder: ({ at, alert = '' }: OldOrder) => ({ at, commandId: '', alertId: alert }),
  StateKillLimit: ({ kills }: { readonly kills: readonly number[] }) => ({ kills }),
  StateCommand: commandOf,
};

function commandOf({ hostId, expiresAt, command, answer }: OldCommand): StateCommand {
  const entry = { hostId, expiresAt, command: null, answer: null };
  if (command !== null) return { ...entry, state: 'open', command: Buffer.from(command, 'base64') };
  if (answer !== null) return { ...entry, state: 'answered', answer: Buffer.from(answer, 'base64') };
  return { ...entry, state: 'done' };
}
