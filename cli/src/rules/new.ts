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
    .description('create a rule and its test from a template or from a recorded event')
    .option('--dir <folder>', 'folder for the two files', '.')
    .option('--event <recording:number>', 'recorded event that the rule must match')
    .option('--condition <text>', 'condition of the rule (default: from the event)')
    .option('--desc <text>', 'description of the rule')
    .option('--priority <word>', 'priority, from debug to emergency', 'warning')
    .option('--technique <id>', 'ATT&CK technique, such as T1059.004; the tactic is added')
    .option('--json', 'print the file names as one JSON object')
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
      const scaffolded = scaffold({
        name,
        description: desc,
        condition,
        priority,
        technique,
        event: event === undefined ? undefined : await recordedEvent(event),
      });
      makeFolder(dir);
      const files = [
        { path: join(dir, `${scaffolded.base}.yaml`), text: scaffolded.rule },
        { path: join(dir, `${scaffolded.base}.test.yaml`), text: scaffolded.test },
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
    throw new OperatorError(`${path} already exists: give the rule another name`, { cause });
  }
}

async function recordedEvent(argument: string): Promise<EventDocument> {
  const [, path, number] = /^(.+):(\d+)$/.exec(argument) ?? [];
  if (path === undefined) throw new OperatorError(`--event ${argument}: expected FILE:NUMBER, such as attack.rec:17`);
  await using recording = await openRecording(path);
  const keep = (event: { readonly number: number }): boolean => event.number === Number(number);
  const { events, count } = await new Judge([]).judgeRecording(recording.records(), recording.enrolled, { keep });
  const [found] = events;
  if (found === undefined) throw new OperatorError(`${path} has no event ${number}: it has ${count}`);
  return found.document;
}
