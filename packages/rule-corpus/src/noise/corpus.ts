import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { FETCHED, PATH } from '../lab/sandbox.ts';
import { readScripts } from '../lab/scripts.ts';

/** Work of a healthy machine that takes a few seconds and needs no internet. */
export interface Job {
  /** Title, with the image if it has one. */
  readonly name: string;
  readonly title: string;
  /** The work that the job stands for. */
  readonly description: string;
  /** Image of the container in which it runs; undefined: on the host. */
  readonly image: string | undefined;
  /** Shell commands that run before and are not observed. */
  readonly setup: string;
  readonly script: string;
  /** Programs that the job needs and that this machine does not have. */
  readonly missing: readonly string[];
}

const HOST = 'host';
const PROGRAM_FOLDERS: readonly string[] = [
  ...PATH.split(':').flatMap((folder) => [folder, join(FETCHED, 'root', folder)]),
  '/usr/lib/postgresql/15/bin',
  '/usr/local/go/bin',
  FETCHED,
];

/**
 * The jobs of jobs/. `## NAME` begins a job. `#desc` describes the work, `#in` names a place where it runs (an image,
 * or `host`; the job runs once in each), `#needs` lists programs that it needs, and `#setup` gives commands that run
 * before it.
 */
export const CORPUS: readonly Job[] = readScripts(join(import.meta.dirname, '../../jobs')).flatMap(
  ({ title, marks, text }) => {
    const needs = (marks['needs'] ?? []).flatMap((names) => names.split(' '));
    const missing = needs.filter((name) => !isInstalled(name));
    return (marks['in'] ?? []).map((place) => ({
      name: place === HOST ? title : `${title} in ${place}`,
      title,
      description: (marks['desc'] ?? []).join(' '),
      image: place === HOST ? undefined : place,
      setup: marks['setup']?.join('\n') ?? '',
      script: text,
      missing,
    }));
  },
);

function isInstalled(program: string): boolean {
  return PROGRAM_FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, program), constants.R_OK);
      return true;
    } catch {
      // Not in this folder.
      return false;
    }
  });
}
