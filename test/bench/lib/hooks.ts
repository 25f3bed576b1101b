import { rmSync } from 'node:fs';
import { type BpfLink, BpfMap, type BpfObject } from '@ringfence/libbpf-ts';
import { sensorObject } from '../../../cli/src/commands/context.ts';
import { cgroupRoot } from '../../../cli/src/demo/sandbox.ts';
import { loadObject } from '../../../services/collector/src/sensor/object.ts';
import { linkPath, pinnedHooks, programOf, ringPath } from '../../../services/collector/src/sensor/pins.ts';

/**
 * The hooks of a running agent's sensor, to be left and put in place again while the agent goes on: the same programs once more over the maps that the agent has pinned. Probes in
 * files stay with the agent.
 */
export class Hooks implements Disposable {
  readonly #object: BpfObject;
  readonly #names: readonly string[];
  readonly #links: BpfLink[] = [];

  /** Takes them from an agent whose hooks are held by their pins alone (Agent.startCollector). None is in place then. */
  constructor(pinPath: string) {
    const links = pinnedHooks(pinPath);
    this.#names = links.map(programOf);
    const { object } = loadObject({
      path: sensorObject(),
      pinPath,
      ringSecurityBytes: ringBytes(pinPath, 'security'),
      ringBulkBytes: ringBytes(pinPath, 'bulk'),
      programs: true,
      functions: false,
      probes: new Set(),
    });
    this.#object = object;
    for (const name of this.#names) rmSync(linkPath(pinPath, name));
  }

  attach(): void {
    for (const name of this.#names) {
      const program = this.#object.program(name);
      const cgroup = /^cgroup(_skb)?\//.test(program.section);
      this.#links.push(cgroup ? program.attachCgroup(cgroupRoot()) : program.attach());
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
