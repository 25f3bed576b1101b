import type { EnrolmentStore, StoredEnrolment } from '../enrolment-store.ts';
import { RegistrarError } from '../errors.ts';

/** Revokes every key and certificate of a subject from now on. Throws RegistrarError when it has none. */
export function revokeStep(store: EnrolmentStore, subject: string, nowMs: number): StoredEnrolment[] {
  const now = nowMs * 1000;
  const keys = store.ofSubject(subject);
  if (keys.length === 0) {
    throw new RegistrarError('ERR_REGISTRAR_NOT_FOUND', `${subject} is not enrolled: check the subject`);
  }
  return keys
    .map(({ enrolment }) =>
      store.update(subject, enrolment.signingKeyId, (existing) =>
        existing === undefined || (existing.revokedAt !== 0 && existing.revokedAt <= now)
          ? null
          : { ...existing, revokedAt: now },
      ),
    )
    .filter((update) => update !== null);
}
