import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ParametersOf } from '../parameters.ts';
import { Content, type Reading } from './content.ts';
import { forEachLine } from './lines.ts';
import { timeOfLine } from './log-time.ts';
import { note } from './report.ts';
import { statFd, statTexts } from './target.ts';

const COMPLAINT_MAX = 500;
const LF = Buffer.from('\n');
/** Lines of which one must have a time */
const TRIED = 1000;

/** Collects lines between two times, those without a time with the line before them, or the last bytes of a file. */
export function readLog(reading: Reading, fd: number, path: string, parameters: ParametersOf<'log'>): void {
  const stat = statFd(fd);
  const { from = 0, to = Number.MAX_SAFE_INTEGER, last } = parameters;
  const content = new Content(reading, { kind: 'log', name: path, source: { path, ...statTexts(stat) } });
  const hasWindow = parameters.from !== undefined || parameters.to !== undefined;
  const latest = Number(stat.modified / 1_000_000n);
  let [inside, lines, timed, position] = [!hasWindow, 0, 0, Math.max(0, stat.size - (last ?? stat.size))];
  forEachLine(fd, position, (line) => {
    const time = hasWindow ? timeOfLine(line, latest) : null;
    if (time !== null) {
      timed++;
      inside = time >= from && time <= to;
    }
    position += line.length + 1;
    // A file that grows for ever is read as far as it went at first.
    const goesOn = position < stat.size && (timed > 0 || !hasWindow || ++lines < TRIED);
    const written = !inside || content.write(position > stat.size ? line : Buffer.concat([line, LF]));
    reading.budget.allow(0);
    return written && goesOn && reading.budget.cut === '';
  });
  if (hasWindow && timed === 0) content.note('no line has a time that can be read: nothing was taken');
  content.finish();
}

/** Collects the journal between two times as `journalctl` exports it. */
export async function readJournal(reading: Reading, { from, to }: ParametersOf<'log'>): Promise<void> {
  const args = ['--output=export', '--quiet', '--no-pager'];
  if (from !== undefined) args.push(`--since=@${from / 1e6}`);
  if (to !== undefined) args.push(`--until=@${to / 1e6}`);
  const content = new Content(reading, { kind: 'journal', name: 'journal', source: {} });
  const child = spawn('journalctl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), reading.budget.leftMs);
  const ended = endOf(child);
  for await (const chunk of child.stdout)
    if (!content.write(chunk as Buffer)) {
      child.kill('SIGKILL');
      break;
    }
  const problem = await ended;
  clearTimeout(timer);
  reading.budget.allow(0);
  if (problem !== '' && reading.budget.cut === '') content.note(`journalctl: ${problem}`);
  content.finish();
}

/** Resolves with what journalctl complains about; empty: nothing. */
async function endOf(child: ChildProcess): Promise<string> {
  let complaint = '';
  child.stderr?.on('data', (text: Buffer) => {
    complaint = `${complaint}${text.toString('utf8')}`.slice(0, COMPLAINT_MAX);
  });
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return code === 0 ? complaint : `${complaint} (it ended with ${signal ?? code})`.trim();
  } catch (error) {
    note(`the journal can't be read: ${(error as Error).message}`);
    return (error as Error).message;
  }
}
