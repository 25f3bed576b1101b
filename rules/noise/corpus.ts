import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { ENGINE_DIRECTORY } from '../../test/deploy/lib/engine-files.ts';
import { PATH } from '../lab/sandbox.ts';
import { readScripts } from '../lab/scripts.ts';

/** Something that healthy machines do: takes a few seconds, and doesn't need the internet. */
export interface Job {
  /** with the image, where it has one */
  readonly name: string;
  readonly title: string;
  /** whose work it stands for */
  readonly is: string;
  /** of the container that it happens in; undefined: on the host */
  readonly image: string | undefined;
  /** what is there before, of which nobody hears */
  readonly setup: string;
  readonly script: string;
  /** programs that it can't be played without, and aren't here */
  readonly missing: readonly string[];
}

const HOST = 'host';
const PLACES: readonly string[] = [
  ...PATH.split(':').flatMap((folder) => [folder, join(ENGINE_DIRECTORY, 'root', folder)]),
  '/usr/lib/postgresql/15/bin',
  '/usr/local/go/bin',
  ENGINE_DIRECTORY,
];

/** What lies in jobs/: `## NAME` begins a job, `#is` says what it stands for, `#in` where it is played (an image, or `host`; once for each), `#needs` which programs it takes. */
export const CORPUS: readonly Job[] = readScripts(join(import.meta.dirname, 'jobs')).flatMap(
  ({ title, marks, text }) => {
    const missing = (marks['needs'] ?? []).flatMap((names) => names.split(' ')).filter((name) => !isThere(name));
    return (marks['in'] ?? []).map((place) => ({
      name: place === HOST ? title : `${title} in ${place}`,
      title,
      is: (marks['is'] ?? []).join(' '),
      image: place === HOST ? undefined : place,
      setup: marks['setup']?.join('\n') ?? '',
      script: text,
      missing,
    }));
  },
);

function isThere(program: string): boolean {
  return PLACES.some((folder) => {
    try {
      accessSync(join(folder, program), constants.R_OK);
      return true;
    } catch {
      // Not there: it is looked for in the next one.
      return false;
    }
  });
}
