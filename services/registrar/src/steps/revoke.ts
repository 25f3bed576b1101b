import type { Book, Page } from '../book.ts';
import { RegistrarError } from '../errors.ts';

/** Takes back every key and certificate of a subject, from now on. Throws RegistrarError when it has none. */
export function revokeStep(book: Book, subject: string, nowMs: number): Page[] {
  const now = nowMs * 1000;
  const keys = book.of(subject);
  if (keys.length === 0) {
    throw new RegistrarError('ERR_REGISTRAR_NOT_FOUND', `${subject} is not enrolled: check the name`);
  }
  return keys
    .map(({ enrolment }) =>
      book.update(subject, enrolment.signingKeyId, (before) =>
        before === undefined || (before.revokedAt !== 0 && before.revokedAt <= now)
          ? null
          : { ...before, revokedAt: now },
      ),
    )
    .filter((page) => page !== null);
}
