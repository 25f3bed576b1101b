const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec';
const MAX_TAG = 128;

export interface Syslog {
  /** name without its path; '': the line has no tag */
  readonly program: string;
  /** 0: the line has none */
  readonly pid: number;
  readonly text: string;
}

/**
 * Parses `Nov 25 15:55:07 web-1 sshd[12]: text`, also with an ISO time or with `<34>` before it, and RFC 5424's
 * `<34>1 time host app pid id - text`. A line without such a header is all text.
 */
export function parseSyslog(line: string): Syslog {
  const body = withoutPriority(line);
  if (body !== line && body.startsWith('1 ')) return parseRfc5424(body.slice(2));
  const untimed = withoutTime(body);
  if (untimed === null) return { program: '', pid: 0, text: line };
  return parseTagged(untimed.slice(untimed.indexOf(' ') + 1));
}

function withoutPriority(line: string): string {
  const end = line.startsWith('<') ? line.indexOf('>') : -1;
  return end > 1 && end < 5 ? line.slice(end + 1) : line;
}

/** Returns null if the line does not begin with a time. */
function withoutTime(line: string): string | null {
  if (line.charAt(3) === ' ' && line.charAt(15) === ' ' && line.charAt(9) === ':' && MONTHS.includes(line.slice(0, 3)))
    return line.slice(16);
  const space = line.indexOf(' ');
  const iso = space > 18 && space < 40 && line.charAt(4) === '-' && line.charAt(10) === 'T';
  return iso ? line.slice(space + 1) : null;
}

/** Parses `sshd[12]: text`, `sudo: text` and `/usr/sbin/cron[3]: text`. */
function parseTagged(rest: string): Syslog {
  const colon = rest.indexOf(':');
  if (colon <= 0 || colon > MAX_TAG) return { program: '', pid: 0, text: rest };
  const text = rest.slice(rest.charAt(colon + 1) === ' ' ? colon + 2 : colon + 1);
  const tag = rest.slice(0, colon);
  const open = tag.endsWith(']') ? tag.indexOf('[') : -1;
  const name = open < 0 ? tag : tag.slice(0, open);
  if (name === '' || name.includes(' ')) return { program: '', pid: 0, text: rest };
  return { program: baseName(name), pid: open < 0 ? 0 : pidOf(tag.slice(open + 1, -1)), text };
}

const baseName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

function parseRfc5424(rest: string): Syslog {
  const [, , program = '', pid = ''] = rest.split(' ', 4);
  let at = 0;
  for (let fields = 0; fields < 5; fields++) at = rest.indexOf(' ', at) + 1 || rest.length;
  const text = rest.startsWith('[', at) ? rest.slice(endOfData(rest, at)) : rest.slice(at + 1);
  return {
    program: program === '-' ? '' : baseName(program).slice(0, MAX_TAG),
    pid: pidOf(pid),
    text: text.trimStart(),
  };
}

/** Returns the end of the structured data that begins at `at`. A `]` in a value is escaped by a backslash. */
function endOfData(text: string, at: number): number {
  for (let i = at; i < text.length; i++) {
    if (text.charAt(i) === '\\') i++;
    else if (text.charAt(i) === ']' && text.charAt(i + 1) !== '[') return i + 1;
  }
  return text.length;
}

function pidOf(text: string): number {
  const pid = text.length > 0 && text.length < 11 ? Number(text) : 0;
  return Number.isInteger(pid) && pid > 0 && pid < 2 ** 31 ? pid : 0;
}
