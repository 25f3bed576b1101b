import { join } from 'node:path';
import { asObject, type ContainerDescription, readJson } from '@ringfence/host-kit';
import type { RecordSource } from '@ringfence/sensor';
import { decodeText, records, splitText } from '@ringfence/wire';
import type { HostRoots } from '../runtimes/description.ts';
import { describeDocker } from '../runtimes/docker.ts';
import { describeSpec } from '../runtimes/oci.ts';
import { describePodman } from '../runtimes/podman.ts';

/** OCI runtimes by the name of their executable. */
const RUNTIMES = new Set(['runc', 'crun', 'youki', 'runsc', 'nvidia-container-runtime', 'kata-runtime']);
const CREATIONS_MAX = 1024;
const ID = /^[\w+.-]{1,1024}$/;

export interface ContainerCreation {
  /** the OCI runtime */
  readonly runtime: string;
  /** null if it could not be read in time */
  readonly description: ContainerDescription | null;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
}

/**
 * Containers that are about to be created, because root executed an OCI runtime to do so. Its arguments contain the id
 * and the bundle. So a short-lived container is known even if its cgroup and the runtime's files are gone when its own
 * first event is read.
 */
export class ContainerCreations {
  readonly #roots: HostRoots;
  readonly #byId = new Map<string, ContainerCreation>();

  constructor(roots: HostRoots) {
    this.#roots = roots;
  }

  /** Called before each exec, with the start of its record (struct rf_exec). */
  onExec(source: RecordSource, at: number, ktime: number): void {
    const { view, bytes } = source;
    const executable = textAt(source, at, records.EXEC_PATH);
    const path = decodeText(bytes, executable.start, executable.end);
    const runtime = path.slice(path.lastIndexOf('/') + 1);
    if (!RUNTIMES.has(runtime) || records.credentialsEuid(view, at + records.EXEC_CREDENTIALS) !== 0) return;
    const argv = textAt(source, at, records.EXEC_ARGV);
    const cwd = textAt(source, at, records.EXEC_CWD);
    const args = splitText(bytes.subarray(argv.start, argv.end));
    const created = parseCreation(args, decodeText(bytes, cwd.start, cwd.end));
    if (created === null) return;
    const { id, bundle } = created;
    this.#add(id, { runtime, description: this.#describe(id, bundle), ktime });
  }

  /** Prefers the engine's files, which have names and images, to the bundle, which every container has. */
  #describe(id: string, bundle: string): ContainerDescription | null {
    const { root } = this.#roots;
    return (
      describeDocker(id, this.#roots) ??
      describePodman(id, this.#roots) ??
      describeSpec(asObject(readJson(join(root, bundle, 'config.json'))), root)
    );
  }

  #add(id: string, creation: ContainerCreation): void {
    this.#byId.delete(id);
    this.#byId.set(id, creation);
    const oldest = this.#byId.size > CREATIONS_MAX ? this.#byId.keys().next().value : undefined;
    if (oldest !== undefined) this.#byId.delete(oldest);
  }

  find(id: string): ContainerCreation | undefined {
    return this.#byId.get(id);
  }
}

/**
 * Parses `runc [OPTION…] create --bundle DIRECTORY [OPTION…] ID`. Without --bundle, the bundle is the working
 * directory. Returns null for any other command.
 */
export function parseCreation(args: readonly string[], cwd: string): { id: string; bundle: string } | null {
  const command = args.findIndex((word, index) => index > 0 && (word === 'create' || word === 'run'));
  const id = args.at(-1) ?? '';
  if (command < 0 || command === args.length - 1 || !ID.test(id) || id.startsWith('-')) return null;
  const options = args.slice(command + 1, -1);
  const index = options.findIndex((option) => /^(?:--?bundle|-b)(?:=|$)/.test(option));
  const option = options[index] ?? '';
  const bundle = option.includes('=') ? option.slice(option.indexOf('=') + 1) : (options[index + 1] ?? '');
  return { id, bundle: index < 0 || bundle === '' ? cwd : bundle.startsWith('/') ? bundle : join(cwd, bundle) };
}

function textAt({ view }: RecordSource, at: number, field: number): { start: number; end: number } {
  const start = at + records.textOffset(view, at + field);
  return { start, end: start + records.textKept(view, at + field) };
}
