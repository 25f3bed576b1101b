import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sensorObject } from '@ringfence/config';
import { type BpfLink, BpfMap, BpfObject } from '@ringfence/libbpf-ts';
import { linkPath, ringPath } from '@ringfence/sensor';
import { loadObject, pinnedHooks, programOfLink } from '@ringfence/sensor/parts';
import { cgroupRoot } from '@ringfence/simulator/demo';
import { compileBpf } from './compile-bpf.ts';

const ofCgroup = (section: string): boolean => /^cgroup(_skb)?\//.test(section);

/** Programs and their hooks, to be left and put in place again. None is in place at first. */
export class Hooks implements Disposable {
  readonly #object: BpfObject;
  readonly #names: readonly string[];
  readonly #links: BpfLink[] = [];

  private constructor(object: BpfObject, names: readonly string[]) {
    this.#object = object;
    this.#names = names;
  }

  /**
   * A running agent's sensor, from one whose hooks are held by their pins alone (Agent.startCollector), which goes on without them: the same programs once
   * more over the maps that the agent has pinned. Probes in files stay with the agent.
   */
  static takeFrom(pinPath: string): Hooks {
    const names = pinnedHooks(pinPath).map(programOfLink);
    const { object } = loadObject({
      path: sensorObject(),
      pinPath,
      ringSecurityBytes: ringBytes(pinPath, 'security'),
      ringBulkBytes: ringBytes(pinPath, 'bulk'),
      programs: true,
      tracesFunctions: false,
      probes: new Set(),
    });
    for (const name of names) rmSync(linkPath(pinPath, name));
    return new Hooks(object, names);
  }

  /** Programs that do nothing, compiled into `directory`, where these have theirs: what the kernel takes to come to them. */
  async empty(directory: string): Promise<Hooks> {
    const programs = this.#names.map((name) => {
      const { section } = this.#object.program(name);
      return `SEC("${section}") int ${name}(void *context)\n{\n\treturn ${ofCgroup(section) ? 1 : 0};\n}\n`;
    });
    const path = join(directory, 'empty.bpf');
    const text = [
      '#define SEC(name) __attribute__((section(name), used))',
      ...programs,
      'SEC("license") char permitted[] = "GPL";',
    ];
    writeFileSync(`${path}.c`, `${text.join('\n')}\n`);
    await compileBpf(`${path}.c`, `${path}.o`);
    const object = BpfObject.open(`${path}.o`);
    object.load();
    return new Hooks(object, this.#names);
  }

  attach(): void {
    for (const name of this.#names) {
      const program = this.#object.program(name);
      this.#links.push(ofCgroup(program.section) ? program.attachCgroup(cgroupRoot()) : program.attach());
    }
  }

  /** Takes seconds: the kernel waits for all CPUs at each tracepoint. */
  detach(): void {
    for (const link of this.#links.splice(0)) link[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.detach();
    this.#object[Symbol.dispose]();
  }
}

function ringBytes(pinPath: string, lane: 'security' | 'bulk'): number {
  using map = BpfMap.openPinnedBytes(ringPath(pinPath, lane));
  return map.info.maxEntries;
}
