import { BpfError } from './errors.ts';

export interface EmbeddedObject {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Takes the object file out of a C skeleton (`bpftool gen skeleton FILE.o`): it is the string literal that `NAME__elf_bytes()` returns.
 * @throws ERR_BPF_OPEN when there is none; a light skeleton (`-L`) holds instructions, not an object
 */
export function objectFromSkeleton(header: string): EmbeddedObject {
  const start =
    /(\w+)__elf_bytes\(size_t \*sz\)\s*\{\s*(?:static const char data\[\][^=]*=\s*|\*sz = \d+;\s*return \(const void \*\))"/.exec(
      header,
    );
  const name = start?.[1];
  if (start === null || name === undefined) {
    throw new BpfError(
      'ERR_BPF_OPEN',
      'no embedded object: this is not a C skeleton made by bpftool gen skeleton (without -L)',
    );
  }
  const from = start.index + start[0].length;
  const end = header.indexOf('"', from);
  if (end < 0) throw new BpfError('ERR_BPF_OPEN', `the object embedded in skeleton '${name}' is cut short`);
  return { name, bytes: unquote(header.slice(from, end), name) };
}

/** bpftool writes zero as \0, every other byte as \xNN, and continues lines with a backslash. */
function unquote(literal: string, name: string): Uint8Array {
  const text = literal
    .replaceAll('\\\n', '')
    .replaceAll(/\\x([0-9a-f]{2})|\\0/g, (_, hex: string | undefined) => hex ?? '00');
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) {
    throw new BpfError(
      'ERR_BPF_OPEN',
      `the object embedded in skeleton '${name}' has characters that bpftool doesn't write`,
    );
  }
  return Buffer.from(text, 'hex');
}
