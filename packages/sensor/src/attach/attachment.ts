import { rmSync } from 'node:fs';
import type { Log } from '@ringfence/base';
import { BpfError, type BpfLink, type BpfObject, PinnedProgram } from '@ringfence/libbpf-ts';
import { SensorError } from '../errors.ts';
import type { LoadedObject } from '../load/load-object.ts';
import { REFUSED } from '../load/refusals.ts';
import type { SensorOptions } from '../options.ts';
import { removeLinks, removeProbes } from '../pins/directory.ts';
import {
  isPinned,
  linkPath,
  pinnedHooks,
  pinnedLinks,
  pinnedPrograms,
  programOfPin,
  programPath,
  sparePath,
} from '../pins/paths.ts';
import type { RunState } from '../pins/run-state.ts';
import {
  ADOPT,
  ADOPT_COOKIES,
  DOOMED_CALL,
  isCgroupHook,
  isProbe,
  LIFECYCLE,
  ON_DEMAND_HOOKS,
  STAND_INS,
} from '../programs.ts';
import { noteLink } from '../tampering/own-links.ts';
import { adoptSockets } from './adopt-sockets.ts';
import { isAbsent, logMissingHooks, type MissingHook } from './missing-hooks.ts';
import { OnDemandHooks } from './on-demand-hooks.ts';
import { absentFiles, findProbedFiles, type ProbedFile, pinProbes } from './user-space-probes.ts';

type Options = Pick<SensorOptions, 'pinPath' | 'probes' | 'hostRoot' | 'cgroupRoot'>;

export interface AttachmentDeps {
  readonly options: Options;
  readonly loaded: LoadedObject;
  readonly run: RunState;
  /** true if an earlier agent's hooks are still attached */
  readonly resumed: boolean;
}

/** Attaches the sensor's programs to their hooks, and pins links and programs. */
export class Attachment {
  /** hooks that are not attached, with the reason */
  readonly missing: Map<string, MissingHook>;
  /** hooks of the full profile that are used; unknown, and empty, if the sensor was resumed */
  readonly full: ReadonlySet<string>;
  /** why programs of system calls use tracepoints; undefined if they trace functions, or if the sensor was resumed */
  readonly tracepointReason: string | undefined;
  readonly onDemand: OnDemandHooks;
  readonly #options: Options;
  readonly #object: BpfObject;
  readonly #refusals: BpfObject | undefined;
  readonly #run: RunState;

  constructor({ options, loaded, run, resumed }: AttachmentDeps) {
    this.#options = options;
    this.#object = loaded.object;
    this.#refusals = loaded.refusals;
    this.#run = run;
    this.missing = new Map(loaded.missing);
    this.full = loaded.full;
    this.tracepointReason = loaded.tracepointReason;
    this.onDemand = new OnDemandHooks(
      {
        pinPath: options.pinPath,
        ownLinks: loaded.object.map('rf_own_links'),
        missing: this.missing,
        attach: (name) => this.#attach(name),
      },
      resumed,
    );
  }

  /** Number of attached hooks, probes included. */
  get count(): number {
    return pinnedLinks(this.#options.pinPath).length;
  }

  /** Logs the missing hooks. */
  logMissing(log: Log): void {
    logMissingHooks(this.missing, (name) => this.#object.programs.get(name)?.section ?? name, log);
  }

  /** Attaches fork, exec and exit. Call it before reading the running processes. */
  attachLifecycle(): void {
    for (const name of LIFECYCLE) this.#attach(name);
  }

  /** Attaches all other hooks. Hooks that this kernel lacks are added to `missing`. */
  attachRemaining(): void {
    for (const { name, section, loaded } of this.#object.programs.values()) {
      if (!loaded || section.startsWith('iter/') || LIFECYCLE.includes(name) || isProbe(section)) continue;
      if (ON_DEMAND_HOOKS.has(name) || name === DOOMED_CALL) continue;
      const replaced = STAND_INS.get(name);
      if (replaced !== undefined && this.#object.program(replaced).loaded && !this.missing.has(replaced)) continue;
      try {
        this.#attach(name);
        if (replaced !== undefined) this.missing.delete(replaced);
      } catch (error) {
        if (!(error instanceof SensorError)) throw error;
        this.onDemand.recordFailure(name, error);
      }
    }
    this.onDemand.start();
    this.#attachRefusals();
    this.#run.hooks = pinnedHooks(this.#options.pinPath).length;
  }

  /** Their pins keep the programs alive after the object is closed. */
  #attachRefusals(): void {
    if (this.#refusals === undefined) return;
    try {
      this.#attach(REFUSED, this.#refusals);
    } catch (error) {
      if (!(error instanceof SensorError)) throw error;
      this.missing.set(REFUSED, { reason: error.message, absent: error.absent });
    }
    this.#refusals[Symbol.dispose]();
  }

  /**
   * Finds the owners of sockets that are older than the sensor. Call it after `attachRemaining`, so that no socket is
   * missed in between.
   */
  adoptSockets(): void {
    adoptSockets(this.#object);
    if (this.#object.program(ADOPT_COOKIES).loaded) this.missing.delete(ADOPT);
  }

  /**
   * Sets the probes in the libraries and programs that this host has. Files whose probes can't be set are added to
   * `missing`. Returns the probed files, and the names of the files that this host lacks.
   */
  attachProbes(): { readonly probed: readonly string[]; readonly absent: readonly string[] } {
    const { pinPath, probes, hostRoot } = this.#options;
    removeProbes(pinPath);
    const files = findProbedFiles(probes, hostRoot);
    const probed = files.filter((file, number) => this.#attachProbesOf(file, number)).map(({ path }) => path);
    return { probed, absent: absentFiles(probes, files) };
  }

  #attachProbesOf(file: ProbedFile, number: number): boolean {
    try {
      return pinProbes(this.#object, file, this.#options.pinPath, number) > 0;
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      const reason = error.message.split('\n')[0] ?? '';
      this.missing.set(`probe of ${file.path}`, { reason, absent: false });
      return false;
    }
  }

  /**
   * Pins the programs that have no pin yet, and removes the pins of an earlier agent's programs that no hook runs any
   * more. Call it when all hooks are attached.
   */
  pinPrograms(): void {
    const { pinPath } = this.#options;
    for (const pin of pinnedPrograms(pinPath))
      if (!isPinned(linkPath(pinPath, programOfPin(pin)))) rmSync(`${pinPath}/${pin}`);
    for (const program of this.#object.programs.values()) {
      if (!program.loaded) continue;
      const path = programPath(pinPath, program.name);
      if (!isPinned(path)) program.pin(path);
      else if (pinnedProgramId(path) !== program.id) program.pin(sparePath(pinPath, program.name));
    }
  }

  /** Detaches every hook. Nothing new is written to the rings afterwards. */
  detach(): void {
    this.#run.hooks = 0;
    for (const link of this.#object.links) link[Symbol.dispose]();
    removeLinks(this.#options.pinPath);
  }

  /** Attaches a program, pins it and its link, and adds the link to rf_own_links. Throws SensorError. */
  #attach(name: string, object: BpfObject = this.#object): BpfLink {
    const program = object.program(name);
    const { pinPath } = this.#options;
    let link: BpfLink | undefined;
    try {
      link = isCgroupHook(program.section) ? this.#attachToCgroupRoot(name) : program.attach();
      for (const path of [programPath(pinPath, name), sparePath(pinPath, name)]) rmSync(path, { force: true });
      program.pin(programPath(pinPath, name));
      link.pin(linkPath(pinPath, name));
      noteLink(this.#object.map('rf_own_links'), link.id, name);
      return link;
    } catch (cause) {
      if (link !== undefined) discardLink(link);
      // Further lines are libbpf's, one for each of its attempts.
      const [reason] = (cause as Error).message.split('\n');
      const { errnoName } = cause as { readonly errnoName?: string };
      const absent = isAbsent(program.section, errnoName);
      throw new SensorError(`the hook ${name} can't be attached: ${reason}`, { cause, absent });
    }
  }

  #attachToCgroupRoot(name: string): BpfLink {
    const root = this.#options.cgroupRoot;
    if (root === null) throw new SensorError('no cgroup v2 hierarchy is mounted');
    return this.#object.program(name).attachCgroup(root);
  }
}

/** Detaches a hook that was attached only in part: a retry would otherwise report every event twice. */
function discardLink(link: BpfLink): void {
  const { pinPath } = link;
  link[Symbol.dispose]();
  if (pinPath !== null) rmSync(pinPath, { force: true });
}

function pinnedProgramId(path: string): number {
  using program = PinnedProgram.open(path);
  return program.id;
}
