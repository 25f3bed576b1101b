import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a rule's action is played in a sandbox. */
export interface Action {
  readonly rule: string;
  /** of the container that it happens in; undefined: on the host */
  readonly image: string | undefined;
  /** what must be there before */
  readonly setup: string;
  readonly script: string;
}

const folder = join(import.meta.dirname, 'actions');
const IN = '#in ';
const SETUP = '#setup ';

/**
 * The actions of all files: shell scripts in which `## NAME` begins the action of the rule NAME, `#in IMAGE` says that it happens in a container, and
 * `#setup` what is there before.
 */
export function readActions(): Action[] {
  const files = readdirSync(folder).sort();
  return files.flatMap((file) => {
    const [, ...parts] = readFileSync(join(folder, file), 'utf8').split(/^## /m);
    return parts.map(actionOf);
  });
}

function actionOf(part: string): Action {
  const [rule = '', ...lines] = part.split('\n');
  const after = (mark: string): string[] =>
    lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length));
  return {
    rule,
    image: after(IN)[0],
    setup: after(SETUP).join('\n'),
    script: lines.filter((line) => !line.startsWith(IN) && !line.startsWith(SETUP)).join('\n'),
  };
}
