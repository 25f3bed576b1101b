import { records } from '@ringfence/wire';
import { FIXED_BYTES, TEXTS } from './transcoder.generated.ts';

const INT_MAX = 0x7fffffff;
/**
 * Limits for the upper half of a 64-bit number, above which readers refuse it: they take numbers up to 2^53 - 2.
 * Nanoseconds have the larger limit, because they are divided by 1000 first.
 */
const HIGH_MAX = (1 << 21) - 1;
const NANOS_HIGH_MAX = 1 << 30;

/** Whether a record can be transcoded: its texts lie within the record, and its numbers are exact. */
export function isSound(view: DataView, at: number, length: number): boolean {
  if (length < records.SIZEOF_HEADER || records.headerSize(view, at) !== length) return false;
  const kind = records.headerKind(view, at);
  const fixedBytes = FIXED_BYTES[kind];
  if (fixedBytes === undefined || fixedBytes === 0 || length < fixedBytes) return false;
  if (records.headerKtimeHi(view, at) >= NANOS_HIGH_MAX) return false;
  if (records.headerSequenceHi(view, at) >= HIGH_MAX || records.headerExecIdHi(view, at) >= HIGH_MAX) return false;
  const texts = TEXTS[kind] as readonly number[];
  for (let i = 0; i < texts.length; i++) {
    if (!isTextSound(view, at + (texts[i] as number), fixedBytes, length)) return false;
  }
  return true;
}

function isTextSound(view: DataView, text: number, fixedBytes: number, length: number): boolean {
  const kept = records.textKept(view, text);
  const whole = records.textLength(view, text);
  if (kept > whole || whole > INT_MAX) return false;
  const offset = records.textOffset(view, text);
  return kept === 0 || (offset >= fixedBytes && offset <= length && kept <= length - offset);
}
