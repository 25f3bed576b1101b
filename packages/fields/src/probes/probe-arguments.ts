/**
 * Arguments of user-defined probes, as bpf/custom.bpf.h writes them. Hostile input: every length is checked, nothing
 * throws.
 */
import { addressText, asBuffer, decodeText, records } from '@ringfence/wire';

export interface ProbeArgument {
  readonly name: string;
  /** a number in decimal, a pointer in hexadecimal with 0x, bytes in hexadecimal, an address as usual */
  readonly text: string;
  /** exact up to 2^53; undefined if the argument is no number */
  readonly number: number | undefined;
  /** true if bytes were cut off */
  readonly cut: boolean;
}

const SIZE = records.SIZEOF_PROBE_ARGUMENT;

/** Returns the readable arguments. Arguments after a damaged one are left out. */
export function parseProbeArguments(bytes: Uint8Array): ProbeArgument[] {
  const buffer = asBuffer(bytes);
  const found: ProbeArgument[] = [];
  for (let at = 0, count = 0; count < records.Limit.PROBE_ARGUMENTS_MAX && at + SIZE <= buffer.length; count++) {
    const end = at + SIZE + buffer.readUInt16LE(at + records.PROBE_ARGUMENT_KEPT);
    if (end > buffer.length) return found;
    const parsed =
      buffer.readUInt32LE(at + records.PROBE_ARGUMENT_FAILED) === 0
        ? parseArgument(buffer.subarray(at, end))
        : undefined;
    if (parsed !== undefined) found.push(parsed);
    at = end;
  }
  return found;
}

function parseArgument(bytes: Buffer): ProbeArgument | undefined {
  const name = decodeText(bytes, records.PROBE_ARGUMENT_NAME, nameEnd(bytes));
  const type = bytes.readUInt16LE(records.PROBE_ARGUMENT_TYPE);
  const content = bytes.subarray(SIZE);
  const text = numberText(type, bytes) ?? contentText(type, content);
  if (text === undefined) return undefined;
  const number = type <= records.ProbeType.TYPE_POINTER ? Number(text) : undefined;
  return {
    name,
    text,
    number,
    cut: number === undefined && bytes.readBigUInt64LE(records.PROBE_ARGUMENT_VALUE) > BigInt(content.length),
  };
}

function nameEnd(bytes: Buffer): number {
  const end = bytes.indexOf(0, records.PROBE_ARGUMENT_NAME);
  return end < 0 || end > SIZE ? SIZE : end;
}

function numberText(type: number, bytes: Buffer): string | undefined {
  switch (type) {
    case records.ProbeType.TYPE_UNSIGNED:
      return String(bytes.readBigUInt64LE(records.PROBE_ARGUMENT_VALUE));
    case records.ProbeType.TYPE_SIGNED:
      return String(bytes.readBigInt64LE(records.PROBE_ARGUMENT_VALUE));
    case records.ProbeType.TYPE_POINTER:
      return `0x${bytes.readBigUInt64LE(records.PROBE_ARGUMENT_VALUE).toString(16)}`;
    default:
      return undefined;
  }
}

function contentText(type: number, content: Buffer): string | undefined {
  switch (type) {
    case records.ProbeType.TYPE_STRING:
      return decodeText(content);
    case records.ProbeType.TYPE_BYTES:
      return content.toString('hex');
    case records.ProbeType.TYPE_IPV4:
      return content.length === 4 ? addressText(content) : undefined;
    case records.ProbeType.TYPE_IPV6:
      return content.length === 16 ? addressText(content) : undefined;
    default:
      return undefined;
  }
}
