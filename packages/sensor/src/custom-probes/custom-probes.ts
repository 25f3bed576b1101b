import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@ringfence/base';
import { ifReadable } from '@ringfence/host-kit';
import { BpfError, type BpfLink, type BpfObject } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { probePath } from '../pins/paths.ts';
import { type PlacePlan, type ProbePlan, planProbe } from './plan.ts';
import { ProbeProblem, type ProbeSpec, targetText } from './types.ts';

const CHECK_SECONDS = 10;
const PLANS_MAX = records.Limit.PROBE_PLACES_MAX;
/** Processes may still run a program that was replaced. So the probes of the previous file stay, and older ones go. */
const GENERATIONS_MAX = 2;

/** The state of one probe, as `ringfence probes list` shows it. */
export interface ProbeStatus {
  readonly name: string;
  readonly target: string;
  /** file:line:column */
  readonly defined: string;
  /** number of places in which it is set; if 0, see `problem` */
  readonly places: number;
  /** why it is not set; empty if it is */
  readonly problem: string;
  /** how often it fired since this start */
  readonly hits: number;
  /** events dropped because the probe exceeded its limit per second */
  readonly limited: number;
  /** events dropped because a ring was full, the CPU's scratch buffer was in use, or the cgroup was throttled */
  readonly lost: number;
  /** arguments that could not be read */
  readonly faults: number;
}

/** A probe that is set in one file. */
interface Generation {
  /** device and inode of the file */
  readonly file: string;
  readonly places: readonly AttachedPlace[];
}

interface AttachedPlace {
  /** index in rf_custom_plans */
  readonly slot: number;
  readonly link: BpfLink;
  readonly pin: string;
}

interface Probe {
  readonly spec: ProbeSpec;
  /** version of the file at the last check; the probe is set again when it changes */
  fileVersion: string | undefined;
  problem: string;
  readonly generations: Generation[];
}

export interface CustomProbeDeps {
  readonly object: BpfObject;
  readonly pinPath: string;
  readonly hostRoot: string;
  readonly log: Log;
}

/**
 * The user-defined probes: sets them, counts their events, and sets them again when a file is replaced. A probe that
 * can't be set is logged and does not affect the others.
 */
export class CustomProbes {
  readonly #deps: CustomProbeDeps;
  readonly #probes: readonly Probe[];
  readonly #freeSlots: number[] = Array.from({ length: PLANS_MAX }, (_, slot) => PLANS_MAX - 1 - slot);
  #ticks = 0;

  constructor(specs: readonly ProbeSpec[], deps: CustomProbeDeps) {
    this.#deps = deps;
    this.#probes = specs.map((spec) => ({ spec, fileVersion: undefined, problem: 'not set yet', generations: [] }));
  }

  attach(): void {
    for (const [index] of this.#probes.entries()) this.#deps.object.map('rf_custom_states').set(index, {});
    this.#check();
  }

  /** Call it once a second. Checks the files every ten seconds. */
  tick(): void {
    if (++this.#ticks % CHECK_SECONDS === 0) this.#check();
  }

  #check(): void {
    for (const [index, probe] of this.#probes.entries()) {
      const { target } = probe.spec;
      const path = target.kind === 'tracepoint' ? '' : join(this.#deps.hostRoot, target.path);
      const file = path === '' ? { key: 'kernel', version: 'kernel' } : identityOf(path);
      if (file.version === probe.fileVersion) continue;
      probe.fileVersion = file.version;
      this.#set(index, probe, file.key);
    }
  }

  #set(index: number, probe: Probe, file: string): void {
    const { name } = probe.spec;
    // The same file has new contents, so the offsets that were computed for the old ones are wrong.
    const outdated = probe.generations.filter((generation) => generation.file === file);
    for (const generation of outdated) this.#remove(probe, generation);
    try {
      const plan = planProbe(probe.spec, this.#deps.hostRoot);
      const places = this.#attach(index, plan, probe.spec);
      probe.generations.push({ file, places });
      probe.problem = '';
      this.#deps.log.info({ probe: name, target: targetText(probe.spec), places: places.length }, 'a probe is set');
    } catch (error) {
      if (!(error instanceof ProbeProblem || error instanceof BpfError)) throw error;
      probe.problem = error.message.split('\n')[0] ?? '';
      this.#deps.log.warn(
        { probe: name, defined: probe.spec.defined, reason: probe.problem },
        "a probe can't be set: it reports nothing until its file changes",
      );
    }
    while (probe.generations.length > GENERATIONS_MAX) this.#remove(probe, probe.generations[0] as Generation);
  }

  /** Attaches the probe in all places, or in none. */
  #attach(index: number, { path, places: plans }: ProbePlan, spec: ProbeSpec): readonly AttachedPlace[] {
    const places: AttachedPlace[] = [];
    try {
      for (const plan of plans) places.push(this.#attachPlace(index, plan, spec, path));
      return places;
    } catch (error) {
      for (const place of places) this.#detachPlace(place);
      throw error;
    }
  }

  #attachPlace(index: number, { plan, offset, semaphore }: PlacePlan, spec: ProbeSpec, path: string): AttachedPlace {
    const { target } = spec;
    const { object, pinPath } = this.#deps;
    const slot = this.#freeSlots.pop();
    if (slot === undefined) throw new ProbeProblem(`all ${PLANS_MAX} places for probes are in use`);
    let link: BpfLink | undefined;
    try {
      object.map('rf_custom_plans').set(slot, { ...plan, probe: index });
      const cookie = BigInt(slot);
      link =
        target.kind === 'tracepoint'
          ? object.program('custom_tracepoint').attachTracepoint(target.category, target.name, cookie)
          : object.program('custom_user').attachUprobe({
              ...{ path, offset, semaphore, cookie },
              onReturn: target.kind === 'uprobe' && target.onReturn,
            });
      const pin = probePath(pinPath, 'custom', String(slot));
      link.pin(pin);
      return { slot, link, pin };
    } catch (error) {
      link?.[Symbol.dispose]();
      this.#freeSlots.push(slot);
      throw error;
    }
  }

  #remove(probe: Probe, generation: Generation): void {
    probe.generations.splice(probe.generations.indexOf(generation), 1);
    for (const place of generation.places) this.#detachPlace(place);
  }

  /** Closes the link before it removes the pin: the kernel then detaches the hook in the background. */
  #detachPlace({ slot, link, pin }: AttachedPlace): void {
    link[Symbol.dispose]();
    rmSync(pin, { force: true });
    this.#freeSlots.push(slot);
  }

  status(): ProbeStatus[] {
    return this.#probes.map(({ spec, problem, generations }, index) => {
      const { hits, limited, lost, faults } = this.#deps.object.map('rf_custom_states').get(index) as unknown as {
        readonly [counter in 'hits' | 'limited' | 'lost' | 'faults']: bigint;
      };
      const counts = { hits: Number(hits), limited: Number(limited), lost: Number(lost), faults: Number(faults) };
      const places = generations.reduce((sum, generation) => sum + generation.places.length, 0);
      return { name: spec.name, target: targetText(spec), defined: spec.defined, places, problem, ...counts };
    });
  }
}

/** `key` identifies the file; `version` changes with each write to it. */
function identityOf(path: string): { readonly key: string; readonly version: string } {
  const stat = ifReadable(() => statSync(path, { bigint: true }));
  if (stat === null) return { key: 'absent', version: 'absent' };
  const key = `${stat.dev}:${stat.ino}`;
  return { key, version: `${key}:${stat.size}:${stat.mtimeNs}` };
}
