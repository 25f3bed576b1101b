import type { SyntheticHost, SyntheticProcess } from '@ringfence/synthetic';
import { type Actor, Actors } from './actors.ts';
import { forkFlags } from './body-values.ts';
import { CAST, type Cast } from './cast.ts';
import { type Container, Containers, isInContainer } from './containers.ts';
import { DescribedProcesses } from './described.ts';
import { Facts } from './facts.ts';
import type { GivenEvent, GivenLine, GivenProcess } from './given.ts';
import type { GivenFields } from './given-fields.ts';
import { execValues, programOf, setLeaders, socketsOf, Users } from './process-values.ts';
import type { Stage } from './stage.ts';

const NO_FIELDS: GivenFields = new Map();
/** Users that every host has once a process was started. */
const HOST_USERS = [
  [0, 'root'],
  [1000, 'ann'],
] as const;

export interface ProcessesOptions {
  readonly stage: Stage;
  /** Processes that the test file defines. */
  readonly cast: Cast;
  /** Every program was running when the agent started. */
  readonly foundAtStart: boolean;
}

/** The processes of a test's host. A process that `exec`, `process` or `parent` names starts in view of the rules. */
export class Processes {
  readonly #stage: Stage;
  readonly #host: SyntheticHost;
  readonly #cast: Cast;
  readonly #foundAtStart: boolean;
  readonly #actors: Actors;
  readonly #users: Users;
  readonly #containers: Containers;
  readonly #described: DescribedProcesses;
  readonly #named = new Map<string, SyntheticProcess>();

  constructor({ stage, cast, foundAtStart }: ProcessesOptions) {
    const { host } = stage;
    this.#stage = stage;
    this.#host = host;
    this.#cast = cast;
    this.#foundAtStart = foundAtStart;
    this.#actors = new Actors(host);
    this.#users = new Users(host);
    this.#containers = new Containers(host);
    this.#described = new DescribedProcesses({
      stage,
      actors: this.#actors,
      users: this.#users,
      containers: this.#containers,
    });
    host.snapshot(host.init, '/usr/lib/systemd/systemd');
  }

  /** Returns the process that acts in an event other than an exec or a fork. */
  of(event: GivenEvent): SyntheticProcess {
    const { process, fields, as } = event;
    const actor = process === undefined ? this.#described.of(new Facts(fields)) : this.#last(process, fields, fields);
    return this.#remember(as, actor);
  }

  /** Returns the process that an event acts upon, if it names one. */
  target({ target, fields }: GivenEvent): SyntheticProcess | undefined {
    if (target !== undefined) return this.#last(target, NO_FIELDS, fields);
    const pid = new Facts(fields).number('process.target.pid');
    if (pid === this.#host.init.tgid) return this.#host.init;
    return pid === undefined ? undefined : this.#actors.findLast(({ process }) => process.tgid === pid)?.process;
  }

  /** A process executes a program, as the written event. */
  exec(event: GivenEvent): void {
    const { exec, process, parent, fields, as } = event;
    const facts = new Facts(fields);
    const isStarted = exec !== undefined || process !== undefined || parent !== undefined;
    const actor = isStarted ? this.#actorToExecute(event, facts) : this.#described.actor(facts);
    if (isStarted) this.#enter(actor, facts);
    actor.program = programOf(facts, exec);
    actor.line = exec;
    this.#remember(as, actor.process);
    this.#execute(actor, facts, 'written');
  }

  /** A parent forks, as the written event. */
  fork({ parent, fields, as }: GivenEvent): void {
    const facts = new Facts(fields);
    const from = parent === undefined ? this.#described.parent(facts) : this.#last(parent, NO_FIELDS, fields);
    const container = this.#containerBelow(from, facts);
    this.#stage.begin('written');
    const actor = this.#actors.fork(from, container, facts.number('process.pid'), forkFlags(facts));
    const executable = facts.text('process.executable') ?? facts.text('process.name');
    if (parent === undefined || executable !== undefined) actor.program = { executable: executable ?? '', args: [] };
    this.#remember(as, actor.process);
  }

  #actorToExecute({ process, parent, fields }: GivenEvent, facts: Facts): Actor {
    if (process !== undefined) return this.#actors.of(this.#last(process, NO_FIELDS, fields));
    const from = parent === undefined ? this.#defaultParent(facts) : this.#last(parent, NO_FIELDS, fields);
    return this.#forked(from, facts);
  }

  /**
   * Returns the last process of a line; processes that are not there yet start.
   * @param about fields that describe the last process
   * @param container fields that describe the container of `container` and `runc`
   */
  #last(line: GivenLine, about: GivenFields, container: GivenFields): SyntheticProcess {
    let process: SyntheticProcess | undefined;
    for (const [i, given] of line.entries()) {
      const fields = i === line.length - 1 ? new Map([...about, ...given.fields]) : given.fields;
      process =
        given.name === undefined ? this.#start({ ...given, fields }, process) : this.#byName(given.name, container);
    }
    return process ?? this.#host.init;
  }

  /** Returns the process with the command line and the parent, which starts unless it is there. */
  #start({ exec, parent, fields }: GivenProcess, before: SyntheticProcess | undefined): SyntheticProcess {
    const facts = new Facts(fields);
    const from = before ?? (parent === undefined ? this.#defaultParent(facts) : this.#last(parent, NO_FIELDS, fields));
    const known = exec && this.#actors.findLast((actor) => actor.line === exec && actor.parent === from);
    if (known) return known.process;
    const actor = this.#forked(from, facts);
    if (exec === undefined) return actor.process;
    actor.program = programOf(facts, exec);
    actor.line = exec;
    this.#enter(actor, facts);
    this.#execute(actor, facts, 'judged');
    return actor.process;
  }

  #byName(name: string, fields: GivenFields): SyntheticProcess {
    const known = this.#named.get(name);
    if (known !== undefined) return known;
    switch (name) {
      case 'systemd':
        return this.#host.init;
      case 'kthreadd':
        return this.#remember(name, this.#host.unseen(undefined, 2));
      case 'none':
        return this.#remember(name, this.#host.unseen(undefined, 0));
      case 'runc':
        return this.#runtimeIn(this.#containers.of(new Facts(fields)));
      case 'container':
        return this.#firstIn(this.#containers.of(new Facts(fields)));
    }
    const given = this.#cast.get(name) ?? CAST.get(name);
    if (given === undefined) throw new TypeError(`no process is called '${name}'`);
    return this.#remember(name, this.#start(given, undefined));
  }

  #remember(name: string | undefined, process: SyntheticProcess): SyntheticProcess {
    if (name !== undefined) this.#named.set(name, process);
    return process;
  }

  #defaultParent(facts: Facts): SyntheticProcess {
    return isInContainer(facts) ? this.#firstIn(this.#containers.of(facts)) : this.#byName('shell', NO_FIELDS);
  }

  #forked(parent: SyntheticProcess, facts: Facts): Actor {
    const container = this.#containerBelow(parent, facts);
    this.#stage.begin('judged');
    return this.#actors.fork(parent, container, facts.number('process.pid'));
  }

  #containerBelow(parent: SyntheticProcess, facts: Facts): Container | undefined {
    return isInContainer(facts) ? this.#containers.of(facts) : this.#containers.inCgroup(parent.cgroup);
  }

  /**
   * Returns the first process of a container. The runtime executes /app/server, unless it has executed another program.
   */
  #firstIn(container: Container): SyntheticProcess {
    if (container.first !== undefined) return container.first;
    const actor = this.#actors.of(this.#runtimeIn(container));
    this.#enter(actor, new Facts(NO_FIELDS));
    actor.program = { executable: '/app/server', args: ['/app/server'] };
    this.#execute(actor, new Facts(NO_FIELDS), 'judged');
    return actor.process;
  }

  /** Returns the runtime that makes a container: a copy of itself, which has entered the container's control group. */
  #runtimeIn(container: Container): SyntheticProcess {
    if (container.runtime !== undefined && container.first === undefined) return container.runtime;
    const shim = this.#start(command('/usr/bin/containerd-shim-runc-v2'), this.#host.init);
    const create = this.#start(command(`/usr/sbin/runc create ${container.values.id}`), shim);
    this.#stage.begin('judged');
    const copy = this.#actors.fork(create, undefined);
    copy.program = { executable: '/', args: ['runc', 'init'] };
    this.#execute(copy, new Facts(NO_FIELDS), 'judged');
    const { process } = this.#actors.fork(this.#actors.fork(copy.process, container).process, container);
    container.runtime = process;
    return process;
  }

  /** Puts the process into the pid namespace of its container, where the container's first program has pid 1. */
  #enter({ process, container }: Actor, facts: Facts): void {
    if (container === undefined) return;
    const isFirst = process === container.runtime;
    if (isFirst) container.first = process;
    const vpid = facts.number('process.vpid') ?? (isFirst ? 1 : undefined);
    if (vpid !== undefined || process.namespaces.pid !== container.pidNamespace)
      process.namespaces = { ...process.namespaces, pid: container.pidNamespace, pidInNs: vpid ?? process.tgid };
  }

  #execute(actor: Actor, facts: Facts, role: 'judged' | 'written'): void {
    const { process, program } = actor;
    for (const [uid, name] of HOST_USERS) this.#users.report(uid, name);
    process.tty = facts.number('process.tty') ?? process.tty;
    setLeaders(process, facts);
    actor.stdioSockets = socketsOf(facts, actor.stdioSockets);
    const credentials = this.#users.credentialsOf(facts, process);
    const values = { ...execValues(facts, program, actor.stdioSockets), credentials };
    this.#stage.begin(role);
    if (this.#foundAtStart || facts.bool('process.exec.snapshot') === true) {
      process.credentials = credentials;
      const filename = this.#foundAtStart ? '' : (facts.text('process.exec.filename') ?? '');
      this.#host.snapshot(process, program.executable, { ...values, filename });
    } else this.#host.exec(process, program.executable, values);
  }
}

const command = (exec: string): GivenProcess => ({ name: undefined, exec, parent: undefined, fields: NO_FIELDS });
