import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pidsIn, TestContainer } from '../../e2e/lib/container.ts';
import type { Installation } from '../../e2e/lib/program.ts';
import { until } from '../../e2e/lib/wait.ts';

const RULES = `- rule: Marker
  desc: Every execution of the workload.
  condition: event.action = exec and process.exec.snapshot = false and process.command_line regex 'rfmark[0-9]+z'
  output: "%process.command_line"
  priority: notice
  tags: [execution]

- rule: Victim
  desc: A process of the workload that must be killed.
  condition: event.action = exec and process.name = sleep and process.args contains rfvictim
  output: "%process.command_line"
  priority: critical
  tags: [persistence]
  action: kill
`;

const POLICY = `policy: chaos
desc: Kills only the victims of the workload.
mode: enforce
scope:
  cgroup: /rf-chaos-*
when:
  action: kill
do: kill
`;

/** Markers per victim */
export const VICTIM_EVERY = 25;

/** Runs short programs, each with its own marker, and sometimes a victim for a rule to kill, until `finish`. */
export class Workload implements AsyncDisposable {
  readonly #container: TestContainer;
  readonly #stopFile: string;
  #shell: ChildProcess | undefined;
  #count = 0;

  /** Adds the workload's rules and policy to the installation. */
  constructor(home: Installation) {
    const rules = join(home.dir, 'rules');
    const policy = join(home.dir, 'policy.yaml');
    mkdirSync(rules);
    writeFileSync(join(rules, 'chaos.yaml'), RULES);
    writeFileSync(policy, POLICY);
    home.settings.push(
      `detector.rules=${rules}`,
      `responder.policies=${policy}`,
      'responder.killsPerMinutePerHost=1000',
      'responder.killsPerMinute=1000',
      'collector.killsPerMinute=1000',
      // On a busy machine the restarts take longer than the default of 30 s. A victim that is still alive when its
      // command expires is reported again by the snapshot of the next start, and a second kill is ordered.
      'responder.commandTtl=600s',
    );
    this.#container = new TestContainer(home.runDir, 'rf-chaos');
    this.#stopFile = join(home.dir, 'stop');
  }

  start(): void {
    this.#shell = this.#container.run(`
      i=0
      while [ ! -e ${this.#stopFile} ]; do
        /bin/true rfmark\${i}z
        if [ $((i % ${VICTIM_EVERY})) = 0 ]; then bash -c 'exec -a rfvictim sleep 1000' & fi
        i=$((i + 1))
        sleep 0.02
      done
      echo $i
      exec sleep 999`);
    this.#shell.stdout?.on('data', (chunk: Buffer) => {
      this.#count = Number(chunk.toString());
    });
  }

  /** Stops the workload. Resolves with the number of markers. */
  async finish(): Promise<number> {
    writeFileSync(this.#stopFile, '');
    return until('the end of the workload', () => this.#count || undefined);
  }

  /** Returns the pids of victims that still run. */
  victims(): number[] {
    return pidsIn(this.#container.cgroup, 'sleep').filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('rfvictim'),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#container[Symbol.asyncDispose]();
  }
}
