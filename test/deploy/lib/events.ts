import type { EventDocument } from '@ringfence/fields';
import type { Installation } from '../../e2e/lib/program.ts';
import { until } from '../../e2e/lib/wait.ts';

/**
 * Waits for the execution of a shell with `mark` in its arguments.
 * @param and additional condition, such as ` and …`
 */
export const execMarked = (home: Installation, mark: string, and = ''): Promise<EventDocument> =>
  until(`the execution of ${mark}`, async () => {
    const where = `event.action = exec and process.executable endswith sh and process.command_line contains ${mark}${and}`;
    const [line = ''] = (await home.output(['events', '--json', '--where', where])).split('\n');
    return line !== '' && (JSON.parse(line) as EventDocument);
  });
