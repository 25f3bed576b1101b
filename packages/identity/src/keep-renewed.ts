import { backoffMs, messageOf, pause } from '@ringfence/base';
import { type RenewOptions, renew } from './enrol.ts';
import { IdentityError } from './errors.ts';
import { type Identity, loadIdentity } from './identity.ts';

/** Longest pause, ms. Longer timers are unreliable, and do not count the time of a suspended laptop. */
const DAY_MS = 86_400_000;
const MAX_RETRY_MS = 3_600_000;
/** Minimum pause between renewals, ms, whatever the certificate's lifetime. */
const MIN_PAUSE_MS = 1000;

export interface KeepRenewedOptions {
  readonly registrar: string;
  readonly directory: string;
  /** Stops the renewals */
  readonly signal: AbortSignal;
  readonly log: { info(facts: object, message: string): void; warn(facts: object, message: string): void };
  readonly onRenewed?: (identity: Identity) => void;
  readonly prove?: RenewOptions['prove'];
  /** First pause after a failed renewal, ms; doubled after each failure up to an hour. @default 60 s */
  readonly retryMs?: number;
}

/**
 * Renews the certificate after 60 to 67 % of its lifetime until `signal` aborts. The exact time depends on the serial,
 * so that a fleet enrolled at once does not renew at once.
 */
export async function keepRenewed(options: KeepRenewedOptions): Promise<void> {
  const { registrar, directory, signal, log, onRenewed, prove, retryMs = 60_000 } = options;
  const retry = { firstMs: retryMs, maxMs: MAX_RETRY_MS, jitter: false };
  let failures = 0;
  for (;;) {
    const identity = loadIdentity(directory);
    if (identity === null) throw new IdentityError('ERR_IDENTITY_FILES', `${directory} holds no identity: enrol first`);
    const ms = failures > 0 ? backoffMs(failures - 1, retry) : msUntilRenewal(identity);
    await pause(Math.max(MIN_PAUSE_MS, Math.min(ms, DAY_MS)), signal, { ref: false });
    if (signal.aborted) return;
    if (failures === 0 && msUntilRenewal(identity) > 0) continue;
    try {
      const renewed = await renew({ registrar, directory, prove });
      failures = 0;
      log.info({ subject: renewed.subject, serial: renewed.serial }, 'certificate renewed');
      onRenewed?.(renewed);
    } catch (error) {
      failures++;
      const remainingMs = identity.notAfter - Date.now();
      const facts = {
        subject: identity.subject,
        error: messageOf(error),
        hoursLeft: Math.round(remainingMs / 3_600_000),
      };
      log.warn(
        facts,
        remainingMs > 0 ? 'certificate not renewed yet' : 'certificate expired: enrol again with a new token',
      );
    }
  }
}

/** Negative when the renewal is due. The renewal time of a certificate is fixed by its serial. */
function msUntilRenewal({ notBefore, notAfter, serial }: Identity): number {
  const spread = Number.parseInt(serial.slice(-4), 16) / 0xffff;
  return notBefore + (notAfter - notBefore) * (0.6 + spread / 15) - Date.now();
}
