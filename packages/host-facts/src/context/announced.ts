import { join } from 'node:path';
import type { ContainerDescription } from '@ringfence/host-kit';
import { asObject, readJson } from '@ringfence/host-kit';
import type { RecordSource } from '@ringfence/sensor';
import { decodeText, records, splitText } from '@ringfence/wire';
import type { HostPlaces } from './description.ts';
import { describeDocker } from './docker.ts';
import { describeSpec } from './oci.ts';
import { describePodman } from './podman.ts';

/** OCI runtimes by the name of their executable. */
const RUNTIMES = new Set(['runc', 'crun', 'youki', 'runsc', 'nvidia-container-runtime', 'kata-runtime']);
const REMEMBERED_MAX = 1024;
const ID = /^[\w+.-]{1,1024}$/;

export interface AnnouncedContainer {
  /** the OCI runtime */
  readonly runtime: string;
  /** null: nothing could be read any more */
  readonly description: ContainerDescription | null;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
}

/**
 * Containers that are about to be: root has executed an OCI runtime that creates them. Its arguments have the id and the bundle, so a container is
 * known although it, its cgroup and what its runtime wrote are gone when its own first event is read.
 */
export class Announced {
  readonly #places: HostPlaces;
  readonly #byId = new Map<string, AnnouncedContainer>();

  constructor(places: HostPlaces) {
    this.#places = places;
  }

  /** Called for each exec, with where its record (struct rf_exec) begins. */
  executed(source: RecordSource, at: number, ktime: number): void {
    const { view, bytes } = source;
    const executable = textAt(source, at, records.EXEC_PATH);
    const path = decodeText(bytes, executable.start, executable.end);
    const runtime = path.slice(path.lastIndexOf('/') + 1);
    if (!RUNTIMES.has(runtime) || records.credentialsEuid(view, at + records.EXEC_CREDENTIALS) !== 0) return;
    const argv = textAt(source, at, records.EXEC_ARGV);
    const cwd = textAt(source, at, records.EXEC_CWD);
    const asked = containerOf(splitText(bytes.subarray(argv.start, argv.end)), decodeText(bytes, cwd.start, cwd.end));
    if (asked !== null)
      this.#remember(asked.id, { runtime, description: this.#describe(asked.id, asked.bundle), ktime });
  }

  /** What the engine says, which knows names and images; else the bundle, which every container has. */
  #describe(id: string, bundle: string): ContainerDescription | null {
    const { root } = this.#places;
    return (
      describeDocker(id, this.#places) ??
      describePodman(id, this.#places) ??
      describeSpec(asObject(readJson(join(root, bundle, 'config.json'))), root)
    );
  }

  #remember(id: string, container: AnnouncedContainer): void {
    this.#byId.delete(id);
    this.#byId.set(id, container);
    const oldest = this.#byId.size > REMEMBERED_MAX ? this.#byId.keys().next().value : undefined;
    if (oldest !== undefined) this.#byId.delete(oldest);
  }

  find(id: string): AnnouncedContainer | undefined {
    return this.#byId.get(id);
  }
}

/** `runc [OPTION…] create --bundle DIRECTORY [OPTION…] ID`; without --bundle it is where the runtime was started. */
export function containerOf(args: readonly string[], cwd: string): { id: string; bundle: string } | null {
  const command = args.findIndex((word, index) => index > 0 && (word === 'create' || word === 'run'));
  const id = args.at(-1) ?? '';
  if (command < 0 || command === args.length - 1 || !ID.test(id) || id.startsWith('-')) return null;
  const rest = args.slice(command + 1, -1);
  const option = rest.findIndex((word) => /^(?:--?bundle|-b)(?:=|$)/.test(word));
  const word = rest[option] ?? '';
  const bundle = word.includes('=') ? word.slice(word.indexOf('=') + 1) : (rest[option + 1] ?? '');
  return { id, bundle: option < 0 || bundle === '' ? cwd : bundle.startsWith('/') ? bundle : join(cwd, bundle) };
}

function textAt({ view }: RecordSource, at: number, field: number): { start: number; end: number } {
  const start = at + records.textOffset(view, at + field);
  return { start, end: start + records.textKept(view, at + field) };
}
