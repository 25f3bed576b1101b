const BEGIN = /^libbpf: prog '([^']+)': -- BEGIN PROG LOAD LOG --\n?/;
const END = /\n?-- END PROG LOAD LOG --\s*$/;

/** Extracts the verifier's log and the name of the refused program from the lines that libbpf printed. */
export function verifierLog(lines: readonly string[]): { readonly program: string | undefined; readonly text: string } {
  const entry = lines.find((line) => BEGIN.test(line));
  if (entry === undefined) {
    const refused = lines
      .map((line) =>
        /^libbpf: prog '([^']+)': (?:BPF program load failed|failed to prepare load attributes|relo #\d+: failed to relocate)/.exec(
          line,
        ),
      )
      .find((match) => match !== null);
    return { program: refused?.[1], text: '' };
  }
  return { program: BEGIN.exec(entry)?.[1], text: entry.replace(BEGIN, '').replace(END, '') };
}
