import { join } from 'node:path';
import { readScripts } from '../lab/scripts.ts';

/** How a rule's action is played in a sandbox. */
export interface Action {
  readonly rule: string;
  /** of the container that it happens in; undefined: on the host */
  readonly image: string | undefined;
  /** why it is played in a guest; undefined: in a sandbox of this machine */
  readonly guest: string | undefined;
  /** what must be there before */
  readonly setup: string;
  readonly script: string;
}

/**
 * The actions of all files: `## NAME` begins the action of the rule NAME, `#in IMAGE` says that it happens in a container, `#guest REASON` that it happens
 * to the machine as a whole, so that it is played in one that ends with it, `#setup` what is there before.
 */
export function readActions(): Action[] {
  return readScripts(join(import.meta.dirname, 'actions')).map(({ title, marks, text }) => ({
    rule: title,
    image: marks['in']?.[0],
    guest: marks['guest']?.[0],
    setup: marks['setup']?.join('\n') ?? '',
    script: text,
  }));
}
