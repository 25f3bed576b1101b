/** Types of parameters, which a command carries as text. */
import { z } from 'zod';

const PATH_MAX = 4096;
const LINKS_MAX = 64;

/** A decimal number below 2^64, kept as text because JSON has no such numbers. */
export const decimal: z.ZodType<string> = z.string().regex(/^(?:0|[1-9]\d{0,19})$/);

/** A number of at most 32 bits. */
export const unsigned: z.ZodType<number> = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,9})$/)
  .transform(Number)
  .pipe(z.number().max(0xffffffff));

/** An absolute path without `.`, `..` and empty parts. A byte that is not UTF-8 is written as \xNN, as in events. */
export const absolutePath: z.ZodType<string> = z
  .string()
  .min(2)
  .max(PATH_MAX)
  .regex(/^(?:\/(?!\.{1,2}(?:\/|$))[^/\0]+)+$/, 'an absolute path without . and ..');

/** A JSON array of such paths. */
export const absolutePaths: z.ZodType<string[]> = z
  .string()
  .max(PATH_MAX * LINKS_MAX)
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'not JSON' });
      return z.NEVER;
    }
  })
  .pipe(z.array(absolutePath).max(LINKS_MAX));

export const sha256Text: z.ZodType<string> = z.string().regex(/^[\da-f]{64}$/);

/** Bytes of a path in a journal: one character a byte, so that names which are not UTF-8 survive. */
export const byteText: z.ZodType<string> = z
  .string()
  .max(PATH_MAX)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: every byte but NUL may stand in a path
  .regex(/^[\u0001-\u00ff]*$/);
