import { setTimeout as sleep } from 'node:timers/promises';
import { renew } from './enrol.ts';
import { IdentityError, messageOf } from './errors.ts';
import { type Identity, loadIdentity } from './identity.ts';

const DAY = 86_400_000;
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
  let failures = 0;
  for (;;) {
    const identity = loadIdentity(directory);
    if (identity === null) throw new IdentityError('ERR_IDENTITY_FILES', `there is no identity in ${directory}`);
    const pause = failures > 0 ? Math.min(retryMs * 2 ** (failures - 1), 3_600_000) : untilRenewal(identity);
    if (!(await waited(pause, signal))) return;
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

/** false: the signal aborted. At most a day, longer than which timers and suspended laptops make trouble. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(Math.max(MIN_PAUSE, Math.min(ms, DAY)), undefined, { signal, ref: false });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
