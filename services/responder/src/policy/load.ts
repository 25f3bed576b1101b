import { fileURLToPath } from 'node:url';
import {
  type CheckedSchema,
  checkSources,
  type FileProblem,
  readCheckedFiles,
  type YamlSource,
} from '@ringfence/checked-yaml';
import { type Policy, policySchema } from './policy.ts';

/** The directory that `builtin` means among the paths. */
export const BUILTIN_POLICIES: string = fileURLToPath(new URL('../../../../policies/', import.meta.url));

export interface LoadedPolicies {
  /** Policies without a problem */
  readonly policies: readonly Policy[];
  readonly problems: readonly FileProblem[];
}

const POLICIES: CheckedSchema<Policy> = {
  noun: 'policy',
  schema: policySchema,
  nameOf: ({ policy }) => policy,
  builtin: BUILTIN_POLICIES,
};

/** Reads policy files and directories of policy files; `builtin` means the policies of Ringfence. */
export function loadPolicyFiles(paths: readonly string[]): LoadedPolicies {
  const { items: policies, problems } = readCheckedFiles(paths, POLICIES);
  return { policies, problems };
}

/** A source holds one policy or a list of policies. */
export function loadPolicies(sources: readonly YamlSource[]): LoadedPolicies {
  const { items: policies, problems } = checkSources(sources, POLICIES);
  return { policies, problems };
}
