import type { SyntheticHost, SyntheticProcess } from '@ringfence/synthetic';
import { executableName } from '@ringfence/wire';
import type { Actor, Actors } from './actors.ts';
import { type Container, type Containers, isInContainer } from './containers.ts';
import type { Facts } from './facts.ts';
import { execValues, parentProgramOf, pathOf, programOf, setLeaders, socketsOf, type Users } from './process-values.ts';
import type { Stage } from './stage.ts';

const SERVER_PORT = 80;
const LOOPBACK = Buffer.from([127, 0, 0, 1]);

interface DescribedDeps {
  readonly stage: Stage;
  readonly actors: Actors;
  readonly containers: Containers;
  readonly users: Users;
}

/**
 * Processes that only the fields of events describe. They were running before the agent, so rules do not see them
 * start.
 */
export class DescribedProcesses {
  readonly #stage: Stage;
  readonly #host: SyntheticHost;
  readonly #actors: Actors;
  readonly #containers: Containers;
  readonly #users: Users;

  constructor({ stage, actors, containers, users }: DescribedDeps) {
    this.#stage = stage;
    this.#host = stage.host;
    this.#actors = actors;
    this.#containers = containers;
    this.#users = users;
  }

  /** Returns the process that the fields describe: a known one that fits, else a new one. */
  of(facts: Facts): SyntheticProcess {
    const container = this.#containerOf(facts);
    const known = this.#actors.findLast((actor) => fits(actor, facts, container));
    return known === undefined ? this.#found(this.actor(facts), facts) : known.process;
  }

  /** Returns the process with the pid that the fields give, else a new one of the parent that they describe. */
  actor(facts: Facts): Actor {
    const pid = facts.number('process.pid');
    const known = pid === undefined ? undefined : this.#actors.findLast(({ process }) => process.tgid === pid);
    if (known !== undefined) return known;
    const parent = this.parent(facts);
    const container = this.#containerOf(facts);
    this.#stage.begin('background');
    const actor = this.#actors.fork(parent, container, pid);
    actor.process.loginuid = facts.number('user.audit.id') ?? actor.process.loginuid;
    actor.process.tty = facts.number('process.tty') ?? actor.process.tty;
    setLeaders(actor.process, facts);
    actor.program = programOf(facts);
    actor.stdioSockets = 0;
    return actor;
  }

  /** Returns the parent that the fields describe. @default pid 1 */
  parent(facts: Facts): SyntheticProcess {
    if (!facts.any('process.parent.') && !facts.any('process.ancestors.')) return this.#host.init;
    const pid = facts.number('process.parent.pid');
    if (pid === this.#host.init.tgid) return this.#host.init;
    const program = parentProgramOf(facts);
    const line = program.args.join(' ');
    const known = this.#actors.findLast(({ process, program: { executable, args } }) =>
      pid === undefined ? executable === program.executable && args.join(' ') === line : process.tgid === pid,
    );
    if (known !== undefined) return known.process;
    const container = this.#containerOf(facts);
    const above = this.#ancestors(facts, container);
    this.#stage.begin('background');
    const actor = this.#actors.fork(above, container, pid);
    const stdin = facts.bool('process.parent.stdin.network') === true ? 0x101 : 0;
    actor.program = program;
    actor.stdioSockets = stdin | (facts.bool('process.parent.stdin.socket') === true ? 1 : 0);
    this.#host.snapshot(actor.process, program.executable, { argv: program.args, stdioSockets: actor.stdioSockets });
    this.#listen(actor.process, facts, 'process.parent.server');
    return actor.process;
  }

  /** Returns the parent's parent. The fields list ancestors from the parent upwards. */
  #ancestors(facts: Facts, container: Container | undefined): SyntheticProcess {
    const names = facts.list('process.ancestors.name') ?? [];
    const serving = facts.list('process.ancestors.serving') ?? [];
    const named = names.map((name) => pathOf(undefined, name));
    const paths = facts.list('process.ancestors.executable') ?? (named.length > 0 ? named : serving);
    // Pid 1 is above all of them anyway.
    const below = paths.at(-1)?.endsWith('/systemd') ? paths.slice(0, -1) : paths;
    let process = this.#host.init;
    this.#stage.begin('background');
    for (const path of below.slice(facts.any('process.parent.') ? 1 : 0).reverse()) {
      process = this.#actors.fork(process, container).process;
      this.#host.snapshot(process, path);
      if (serving.includes(path)) this.#host.listen(process, SERVER_PORT);
    }
    return process;
  }

  /** The process listens on the ports that the fields give. @param prefix of these fields */
  #listen(process: SyntheticProcess, facts: Facts, prefix: string): void {
    const [port, localPort] = [facts.number(`${prefix}.port`), facts.number(`${prefix}.local_port`)];
    if (port !== undefined) this.#host.listen(process, port);
    if (localPort !== undefined) this.#host.listen(process, localPort, LOOPBACK);
  }

  /** The agent found the process running. */
  #found(actor: Actor, facts: Facts): SyntheticProcess {
    const { process, program } = actor;
    actor.stdioSockets = socketsOf(facts);
    process.credentials = this.#users.credentialsOf(facts, process);
    const values = execValues(facts, program, actor.stdioSockets);
    this.#stage.begin('background');
    this.#host.snapshot(process, program.executable, { ...values, credentials: process.credentials });
    this.#listen(process, facts, 'process.server');
    return process;
  }

  #containerOf(facts: Facts): Container | undefined {
    return isInContainer(facts) ? this.#containers.of(facts) : undefined;
  }
}

function fits(actor: Actor, facts: Facts, container: Container | undefined): boolean {
  const { process, program } = actor;
  const pid = facts.number('process.pid');
  if (pid !== undefined) return process.tgid === pid;
  const same = (given: string | undefined, has: string): boolean => given === undefined || given === has;
  return (
    same(facts.text('process.executable'), program.executable) &&
    same(facts.text('process.name'), executableName(program.executable)) &&
    same(facts.text('process.command_line'), program.args.join(' ')) &&
    (facts.number('user.id') ?? process.credentials.uid) === process.credentials.uid &&
    actor.container === container &&
    !facts.any('process.parent.')
  );
}
