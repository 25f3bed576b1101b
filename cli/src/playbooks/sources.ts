import { dirname } from 'node:path';
import { type FileProblem, renderProblem } from '@ringfence/checked-yaml';
import type { Config } from '@ringfence/config';
import { type LoadedPlaybooks, loadPlaybookFiles } from '@ringfence/responder';

const isTest = (file: string): boolean => /\.test\.ya?ml$/.test(file);

/** Returns these files and folders, else the configured ones, else the built-in ones. */
export function pathsOf(files: readonly string[], { responder }: Config): readonly string[] {
  if (files.length > 0) return files;
  return responder.playbooks.length > 0 ? responder.playbooks : ['builtin'];
}

/** Reads playbooks. Of test files alone it reads the playbooks beside them. */
export function readPlaybooks(files: readonly string[], config: Config): LoadedPlaybooks {
  const paths = pathsOf(files, config);
  return loadPlaybookFiles(paths.every(isTest) ? [...new Set(paths.map((path) => dirname(path)))] : paths);
}

export const problemsText = (problems: readonly FileProblem[]): string => problems.map(renderProblem).join('\n\n');
