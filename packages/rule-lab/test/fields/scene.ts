import assert from 'node:assert/strict';
import { catalogue, eventKinds } from '@ringfence/fields';
import { compileRules, type RuleSet, render } from '@ringfence/rules';
import { type ContainerValues, type ExecValues, SyntheticHost, type SyntheticProcess } from '@ringfence/synthetic';
import { createSigningKey, type EventView } from '@ringfence/wire';
import { EventJudge } from '../../src/events/event-judge.ts';

const key = createSigningKey();

/** A host with systemd, root's shell over SSH, and containers. Every method adds events. */
export class Scene extends SyntheticHost {
  readonly sshd: SyntheticProcess;
  /** Root's shell, over SSH. */
  readonly shell: SyntheticProcess;
  /** Signed lines of logs, which come after the events. */
  readonly logs: Buffer[] = [];
  #containers = 0;
  #inside: SyntheticProcess | undefined;

  constructor() {
    super({ key });
    this.user(0, 'root');
    this.user(1000, 'ann');
    this.snapshot(this.init, '/usr/lib/systemd/systemd');
    this.sshd = this.start('/usr/sbin/sshd -D', this.init);
    this.shell = this.start('-bash', this.spawn(this.sshd, '/usr/lib/openssh/sshd-session'), {}, '/usr/bin/bash');
  }

  /** First process of a container: `/app/server`. */
  get inside(): SyntheticProcess {
    this.#inside ??= this.startContainer({ image: 'shop:1' });
    return this.#inside;
  }

  /** Starts a process. A text is split at spaces. @default path: the first word */
  start(
    words: string | readonly string[],
    parent: SyntheticProcess = this.shell,
    values: ExecValues = {},
    path?: string,
  ): SyntheticProcess {
    const argv = typeof words === 'string' ? words.split(' ') : words;
    return this.spawn(parent, path ?? argv[0] ?? '', argv, values);
  }

  /** runc makes a container and becomes its first process, which is returned. */
  startContainer(values: Partial<ContainerValues> = {}): SyntheticProcess {
    const cgroup = BigInt(700 + this.#containers++);
    this.container({ cgroup, id: `c0ffee${cgroup}`, name: 'web-1', image: 'nginx:1.27', ...values });
    const create = this.start('/usr/sbin/runc create x', this.start('/usr/bin/containerd-shim-runc-v2', this.init));
    const first = this.fork(this.fork(this.start('runc init', create, {}, '/'), { cgroup }));
    first.namespaces = { ...first.namespaces, pid: 50 + this.#containers, pidInNs: 1 };
    return this.exec(first, '/app/server');
  }
}

/** Compiles a rule file without diagnostics. */
export function compile(text: string): RuleSet<EventView> {
  const set = compileRules({ sources: [{ name: 'test.yaml', text }], catalogue, kinds: eventKinds });
  assert.deepEqual(
    set.diagnostics.map((found) => render(found, text)),
    [],
  );
  return set;
}

/** Returns the matches of rules on the scene's events: name of the rule and output of the alert. */
export function matchesOf(scene: Scene, rules: RuleSet<EventView>): [rule: string, output: string][] {
  const matches: [rule: string, output: string][] = [];
  const onMatch = ({ name }: { readonly name: string }, output: string): number => matches.push([name, output]);
  const judge = new EventJudge({ rules, keyFor: () => scene.key.publicKey, onMatch });
  for (const record of [scene.batch(), ...scene.logs]) judge.take(scene.hostId, record);
  return matches;
}
