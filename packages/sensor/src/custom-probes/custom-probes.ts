import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@ringfence/base';
import { ifReadable } from '@ringfence/host-kit';
import { BpfError, type BpfLink, type BpfObject } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { probePath } from '../pins.ts';
import { type PlacePlan, type ProbePlan, planProbe } from './plan.ts';
import { ProbeProblem, type ProbeSpec, targetText } from './types.ts';

/** Programs of the sensor that probes of users run. */
export const CUSTOM_PROGRAMS: readonly string[] = ['custom_user', 'custom_tracepoint'];

const CHECK_SECONDS = 10;
const PLANS_MAX = records.Limit.PROBE_PLACES_MAX;
/** A program that was replaced may run on as it was: its probes stay, those of the one before it go. */
const GENERATIONS_MAX = 2;

/** What `ringfence probes list` shows of one. */
export interface ProbeStatus {
  readonly name: string;
  readonly target: string;
  /** file:line:column */
  readonly defined: string;
  /** places in which it is set; 0: see `problem` */
  readonly places: number;
  /** empty: it is set */
  readonly problem: string;
  /** since this start: how often it fired */
  readonly hits: number;
  /** dropped: over its limit in a second */
  readonly limited: number;
  /** dropped: no room in a ring, the scratch buffer of the CPU in use, or its cgroup had its share */
  readonly lost: number;
  /** arguments that could not be read */
  readonly faults: number;
}

/** A probe in one file, as that was then. */
interface Generation {
  /** device and inode */
  readonly file: string;
  readonly places: readonly { readonly slot: number; readonly link: BpfLink; readonly pin: string }[];
}

interface Probe {
  readonly spec: ProbeSpec;
  /** the file as it was looked at last: when it is another one, the probe is set anew */
  seen: string | undefined;
  problem: string;
  readonly generations: Generation[];
}

export interface CustomProbeDeps {
  readonly object: BpfObject;
  readonly pinPath: string;
  readonly hostRoot: string;
  readonly log: Log;
}

/** The probes that users define: set, counted, and set anew where a file is replaced. One that can't be set is told, and harms no other. */
export class CustomProbes {
  readonly #deps: CustomProbeDeps;
  readonly #probes: readonly Probe[];
  readonly #free: number[] = Array.from({ length: PLANS_MAX }, (_, slot) => PLANS_MAX - 1 - slot);
  #ticks = 0;

  constructor(specs: readonly ProbeSpec[], deps: CustomProbeDeps) {
    this.#deps = deps;
    this.#probes = specs.map((spec) => ({ spec, seen: undefined, problem: 'not set yet', generations: [] }));
  }

  attach(): void {
    for (const [index] of this.#probes.entries()) this.#deps.object.map('rf_custom_states').set(index, {});
    this.#check();
  }

  /** Once a second; looks at the files every ten. */
  tick(): void {
    if (++this.#ticks % CHECK_SECONDS === 0) this.#check();
  }

  #check(): void {
    for (const [index, probe] of this.#probes.entries()) {
      const { target } = probe.spec;
      const path = target.kind === 'tracepoint' ? '' : join(this.#deps.hostRoot, target.path);
      const file = path === '' ? { key: 'kernel', version: 'kernel' } : identityOf(path);
      if (file.version === probe.seen) continue;
      probe.seen = file.version;
      this.#set(index, probe, file.key);
    }
  }

  #set(index: number, probe: Probe, file: string): void {
    const { name } = probe.spec;
    // Another content in the same file: what was worked out for the old one is wrong.
    for (const old of probe.generations.filter((generation) => generation.file === file)) this.#remove(probe, old);
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
        'a probe can not be set: it sees nothing until its file is another one',
      );
    }
    while (probe.generations.length > GENERATIONS_MAX) this.#remove(probe, probe.generations[0] as Generation);
  }

  /** All places, or none. */
  #attach(index: number, { path, places: plans }: ProbePlan, spec: ProbeSpec): Generation['places'] {
    const places: Generation['places'][number][] = [];
    try {
      for (const plan of plans) places.push(this.#place(index, plan, spec, path));
      return places;
    } catch (error) {
      for (const place of places) this.#leave(place);
      throw error;
    }
  }

  #place(
    index: number,
    { plan, offset, semaphore }: PlacePlan,
    { target }: ProbeSpec,
    path: string,
  ): Generation['places'][number] {
    const { object, pinPath } = this.#deps;
    const slot = this.#free.pop();
    if (slot === undefined) throw new ProbeProblem(`all ${PLANS_MAX} places of probes are taken`);
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
      this.#free.push(slot);
      throw error;
    }
  }

  #remove(probe: Probe, generation: Generation): void {
    probe.generations.splice(probe.generations.indexOf(generation), 1);
    for (const place of generation.places) this.#leave(place);
  }

  /** Let go first: the kernel then leaves the hook by itself as the pin goes. */
  #leave({ slot, link, pin }: Generation['places'][number]): void {
    link[Symbol.dispose]();
    rmSync(pin, { force: true });
    this.#free.push(slot);
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

/** `key` is the same as long as it is the same file, `version` as long as nobody has written to it. */
function identityOf(path: string): { readonly key: string; readonly version: string } {
  const stat = ifReadable(() => statSync(path, { bigint: true }));
  if (stat === null) return { key: 'absent', version: 'absent' };
  const key = `${stat.dev}:${stat.ino}`;
  return { key, version: `${key}:${stat.size}:${stat.mtimeNs}` };
}
