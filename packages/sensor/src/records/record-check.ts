import { records } from '@ringfence/wire';
import { FIXED_BYTES, TEXTS } from '../generated/transcoder.generated.ts';

const INT_MAX = 0x7fffffff;
/** Beyond these, a number of 64 bits is no exact JavaScript number any more (ns are divided by 1000 first). */
const HIGH_MAX = 1 << 21;
const NANOS_HIGH_MAX = 1 << 30;

/** Whether a record can be read without a look outside of it, and its numbers written. */
export function isSound(view: DataView, at: number, length: number): boolean {
  if (length < records.SIZEOF_HEADER || records.headerSize(view, at) !== length) return false;
  const kind = records.headerKind(view, at);
  const least = FIXED_BYTES[kind];
  if (least === undefined || least === 0 || length < least) return false;
  if (records.headerKtimeHi(view, at) >= NANOS_HIGH_MAX) return false;
  if (records.headerSequenceHi(view, at) >= HIGH_MAX || records.headerExecIdHi(view, at) >= HIGH_MAX) return false;
  const texts = TEXTS[kind] as readonly number[];
  for (let i = 0; i < texts.length; i++) {
    if (!isTextSound(view, at + (texts[i] as number), least, length)) return false;
  }
  return true;
}

function isTextSound(view: DataView, text: number, least: number, length: number): boolean {
  const kept = records.textKept(view, text);
  const whole = records.textLength(view, text);
  if (kept > whole || whole > INT_MAX) return false;
  const offset = records.textOffset(view, text);
  return kept === 0 || (offset >= least && offset <= length && kept <= length - offset);
}
