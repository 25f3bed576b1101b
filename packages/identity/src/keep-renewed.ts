import { backoffMs, pause } from '@ringfence/base';
import { renew } from './enrol.ts';
import { IdentityError, messageOf } from './errors.ts';
import { type Identity, loadIdentity } from './identity.ts';

/** Longest pause, ms. Longer timers are unreliable, above all on suspended laptops. */
const DAY = 86_400_000;
const MAX_RETRY = 3_600_000;
/** Whatever a certificate says of itself, it isn't renewed more often than this, ms. */
const MIN_PAUSE = 1000;

export interface KeepRenewedOptions {
  readonly registrar: string;
  readonly directory: string;
  /** ends it */
  readonly signal: AbortSignal;
  readonly log: { info(facts: object, message: string): void; warn(facts: object, message: string): void };
  readonly onRenewed?: (identity: Identity) => void;
  /** First pause after a renewal that failed, ms; doubled each time up to an hour. @default 60 s */
  readonly retryMs?: number;
}

/** Renews the certificate at two thirds of its life (earlier by chance, so that a fleet enrolled at once doesn't renew at once), until `signal` aborts. */
export async function keepRenewed(options: KeepRenewedOptions): Promise<void> {
  const { registrar, directory, signal, log, onRenewed, retryMs = 60_000 } = options;
  const retry = { firstMs: retryMs, maxMs: MAX_RETRY, jitter: false };
  let failures = 0;
  for (;;) {
    const identity = loadIdentity(directory);
    if (identity === null) throw new IdentityError('ERR_IDENTITY_FILES', `there is no identity in ${directory}`);
    const ms = failures > 0 ? backoffMs(failures - 1, retry) : untilRenewal(identity);
    await pause(Math.max(MIN_PAUSE, Math.min(ms, DAY)), signal, { ref: false });
    if (signal.aborted) return;
    if (failures === 0 && untilRenewal(identity) > 0) continue;
    try {
      const renewed = await renew({ registrar, directory });
      failures = 0;
      log.info({ subject: renewed.subject, serial: renewed.serial }, 'certificate renewed');
      onRenewed?.(renewed);
    } catch (error) {
      failures++;
      const left = identity.notAfter - Date.now();
      const facts = { subject: identity.subject, error: messageOf(error), hoursLeft: Math.round(left / 3_600_000) };
      log.warn(facts, left > 0 ? 'certificate not renewed yet' : 'certificate expired: enrol again with a new token');
    }
  }
}

/** ms, below 0 when it is due. The same for one certificate each time it is asked. */
function untilRenewal({ notBefore, notAfter, serial }: Identity): number {
  const chance = Number.parseInt(serial.slice(-4), 16) / 0xffff;
  return notBefore + (notAfter - notBefore) * (0.6 + chance / 15) - Date.now();
}
