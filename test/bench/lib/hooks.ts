import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sensorObject } from '@ringfence/config';
import { type BpfLink, BpfMap, BpfObject } from '@ringfence/libbpf-ts';
import { linkPath, ringPath } from '@ringfence/sensor';
import { loadObject, pinnedHooks, programOfLink } from '@ringfence/sensor/parts';
import { cgroupRoot } from '@ringfence/simulator/demo';
import { compileBpf } from './programs.ts';

const isCgroupSection = (section: string): boolean => /^cgroup(_skb)?\//.test(section);

/** BPF programs that can be attached to their hooks and detached again. They are detached at first. */
export class Hooks implements Disposable {
  readonly #object: BpfObject;
  readonly #names: readonly string[];
  readonly #links: BpfLink[] = [];

  private constructor(object: BpfObject, names: readonly string[]) {
    this.#object = object;
    this.#names = names;
  }

  /**
   * Takes the hooks from a running agent, whose pins alone keep them attached (Agent.startCollector); the agent goes on
   * without them. Loads the same programs once more over the agent's pinned maps. The agent keeps its probes in files.
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

  /**
   * Compiles programs that do nothing into `directory`, for the same hooks. They show what the kernel's own part of a
   * hook costs.
   */
  async createEmpty(directory: string): Promise<Hooks> {
    const programs = this.#names.map((name) => {
      const { section } = this.#object.program(name);
      return `SEC("${section}") int ${name}(void *context)\n{\n\treturn ${isCgroupSection(section) ? 1 : 0};\n}\n`;
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
      this.#links.push(isCgroupSection(program.section) ? program.attachCgroup(cgroupRoot()) : program.attach());
    }
  }

  /** Detaches the programs. Takes seconds: the kernel waits for all CPUs at each tracepoint. */
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
