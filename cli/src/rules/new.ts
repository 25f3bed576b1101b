import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, OperatorError } from '@ringfence/base';
import type { EventDocument } from '@ringfence/fields';
import { Judge, scaffold } from '@ringfence/rule-lab';
import { openRecording } from '@ringfence/wire';
import type { Command } from 'commander';
import { print, printJson } from '../shared/context.ts';

interface NewOptions {
  readonly dir: string;
  readonly desc?: string;
  readonly condition?: string;
  readonly priority: string;
  readonly technique?: string;
  readonly event?: string;
  readonly json?: boolean;
}

export function addNew(rules: Command): void {
  rules
    .command('new')
    .argument('<name>', 'name of the rule')
    .description('write a new rule and its test, from an example or from an event of a recording')
    .option('--dir <folder>', 'folder for the two files', '.')
    .option('--event <recording:number>', 'the event that the rule is to match')
    .option('--condition <text>', 'its condition (default: from the event)')
    .option('--desc <text>', 'what it says has happened')
    .option('--priority <word>', 'debug to emergency', 'warning')
    .option('--technique <id>', 'ATT&CK technique, such as T1059.004: its tactic is added')
    .option('--json', 'print the names of the files as one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  ringfence rules new "Shell of a web server" --technique T1059.004 --dir my-rules
  ringfence rules new "Odd cron job" --event attack.rec:17 --dir my-rules
  ringfence rules test my-rules --watch`,
    )
    .action(async (name: string, options: NewOptions) => {
      const { dir, desc, condition, priority, technique, event } = options;
      const made = scaffold({
        name,
        description: desc,
        condition,
        priority,
        technique,
        event: event === undefined ? undefined : await recordedEvent(event),
      });
      makeFolder(dir);
      const files = [
        { path: join(dir, `${made.base}.yaml`), text: made.rule },
        { path: join(dir, `${made.base}.test.yaml`), text: made.test },
      ];
      for (const file of files) await writeNew(file);
      if (options.json) printJson({ files: files.map(({ path }) => path) });
      else for (const { path } of files) print(path);
    });
}

async function writeNew({ path, text }: { readonly path: string; readonly text: string }): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new OperatorError(`${path} is there already: give the rule another name`, { cause });
  }
}

async function recordedEvent(place: string): Promise<EventDocument> {
  const [, path, number] = /^(.+):(\d+)$/.exec(place) ?? [];
  if (path === undefined) throw new OperatorError(`--event ${place}: expected FILE:NUMBER, such as attack.rec:17`);
  await using recording = await openRecording(path);
  const keep = (event: { readonly number: number }): boolean => event.number === Number(number);
  const { events, count } = await new Judge([]).judgeRecording(recording.records(), recording.enrolled, { keep });
  const [found] = events;
  if (found === undefined) throw new OperatorError(`${path} has no event ${number}: it has ${count}`);
  return found.document;
}
