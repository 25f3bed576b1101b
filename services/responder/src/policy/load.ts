import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertTrusted } from '@ringfence/base';
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { PolicyProblem } from '../errors.ts';
import { type Policy, policySchema } from './policy.ts';

/** More than any policy file needs; a wrong path must not fill the memory. */
const FILE_MAX_BYTES = 2 ** 20;

/** The directory that `builtin` means among the paths. */
export const BUILTIN_POLICIES: string = fileURLToPath(new URL('../../../../policies/', import.meta.url));

export interface PolicySource {
  readonly name: string;
  readonly text: string;
}

export interface LoadedPolicies {
  /** Policies without a problem */
  readonly policies: readonly Policy[];
  readonly problems: readonly PolicyProblem[];
}

/**
 * Reads policy files and directories of policy files; `builtin` means the policies of Ringfence. A file that can't be
 * read, or that a user with fewer rights than this process could change, is a problem.
 */
export function loadPolicyFiles(paths: readonly string[]): LoadedPolicies {
  const problems: PolicyProblem[] = [];
  const sources: PolicySource[] = [];
  for (const path of paths) {
    try {
      const files = filesOf(path === 'builtin' ? BUILTIN_POLICIES : path);
      if (path !== 'builtin') for (const file of [path, ...files]) assertTrusted(file);
      sources.push(...files.map(readSource));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push({ file: path, line: 1, column: 1, message: `the file can't be read: ${reason}` });
    }
  }
  const loaded = loadPolicies(sources);
  return { policies: loaded.policies, problems: [...problems, ...loaded.problems] };
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
  return names.sort().map((name) => join(path, name));
}

function readSource(file: string): PolicySource {
  const { size } = statSync(file);
  if (size > FILE_MAX_BYTES)
    throw new RangeError(`${file} has ${size} bytes; a policy file has at most ${FILE_MAX_BYTES}`);
  return { name: file, text: readFileSync(file, 'utf8') };
}

/** A source holds one policy or a list of policies. */
export function loadPolicies(sources: readonly PolicySource[]): LoadedPolicies {
  const policies = new Map<string, Policy>();
  const problems: PolicyProblem[] = [];
  for (const source of sources) {
    const file = new PolicyFile(source);
    for (const { policy, line, column } of file.policies) {
      if (policies.has(policy.policy)) {
        const message = `a policy is called "${policy.policy}" already: rename one of the two`;
        problems.push({ file: source.name, line, column, message });
      } else policies.set(policy.policy, policy);
    }
    problems.push(...file.problems);
  }
  return { policies: [...policies.values()], problems };
}

class PolicyFile {
  readonly policies: { readonly policy: Policy; readonly line: number; readonly column: number }[] = [];
  readonly problems: PolicyProblem[] = [];
  readonly #name: string;
  readonly #lines = new LineCounter();
  readonly #document: Document;

  constructor({ name, text }: PolicySource) {
    this.#name = name;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, stringKeys: true });
    for (const error of this.#document.errors) this.#report(error.pos[0], `not valid YAML: ${error.message}`);
    if (this.problems.length > 0) return;
    const value = this.#value();
    if (value === null || value === undefined) return;
    if (isSeq(this.#document.contents) && Array.isArray(value)) {
      value.forEach((item: unknown, index) => {
        this.#check(item, [index]);
      });
    } else this.#check(value, []);
  }

  #value(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 20 });
    } catch (error) {
      this.#report(0, `the YAML aliases can't be resolved: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  #check(value: unknown, path: readonly PropertyKey[]): void {
    const parsed = policySchema.safeParse(value);
    if (parsed.success) this.policies.push({ policy: parsed.data, ...this.#locate(this.#offset(path)) });
    else for (const issue of parsed.error.issues) this.#reportIssue(issue, path);
  }

  #reportIssue(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): void {
    const at = [...path, ...issue.path];
    const prefix = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    if (issue.code !== 'unrecognized_keys') {
      this.#report(this.#offset(at), `${prefix}${issue.message}`);
      return;
    }
    for (const key of issue.keys) {
      this.#report(this.#offset(at, key), `${prefix}unknown key "${key}"`);
    }
  }

  /** Returns the offset of a value, or of its nearest parent in the file; with `key`, the offset of that key in it. */
  #offset(path: readonly PropertyKey[], key?: string): number {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? this.#document.contents : this.#document.getIn(path.slice(0, length), true);
      const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
      const found = pair !== undefined && isNode(pair.key) ? pair.key : node;
      if (isNode(found) && found.range) return found.range[0];
    }
    return 0;
  }

  #locate(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  #report(offset: number, message: string): void {
    this.problems.push({ file: this.#name, ...this.#locate(offset), message });
  }
}

/** Returns `file:line:column: message` with control characters escaped. */
export function renderProblem({ file, line, column, message }: PolicyProblem): string {
  return `${file}:${line}:${column}: ${message}`.replaceAll(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
