import { fileURLToPath } from 'node:url';
import {
  type CheckedSchema,
  checkSources,
  type FileProblem,
  readCheckedFiles,
  type YamlSource,
} from '@ringfence/checked-yaml';
import { type Playbook, playbookSchema } from './playbook.ts';

/** The directory that `builtin` means among the paths. */
export const BUILTIN_PLAYBOOKS: string = fileURLToPath(new URL('../../../../policies/playbooks/', import.meta.url));

export interface LoadedPlaybooks {
  /** Playbooks without a problem */
  readonly playbooks: readonly Playbook[];
  readonly problems: readonly FileProblem[];
}

const PLAYBOOKS: CheckedSchema<Playbook> = {
  noun: 'playbook',
  schema: playbookSchema,
  nameOf: ({ playbook }) => playbook,
  builtin: BUILTIN_PLAYBOOKS,
  isItem: (file) => !/\.test\.ya?ml$/.test(file),
};

/** Reads playbook files and directories of them; `builtin` means the playbooks of Ringfence. */
export function loadPlaybookFiles(paths: readonly string[]): LoadedPlaybooks {
  const { items: playbooks, problems } = readCheckedFiles(paths, PLAYBOOKS);
  return { playbooks, problems };
}

/** A source holds one playbook or a list of playbooks. */
export function loadPlaybooks(sources: readonly YamlSource[]): LoadedPlaybooks {
  const { items: playbooks, problems } = checkSources(sources, PLAYBOOKS);
  return { playbooks, problems };
}
