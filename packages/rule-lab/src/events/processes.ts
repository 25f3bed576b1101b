import { defined } from '@ringfence/base';
import { credentialsOf, type ExecValues, type TestHost, type TestProcess } from '@ringfence/testkit';
import { executableName, records } from '@ringfence/wire';
import type { Facts } from './facts.ts';

/** A process that events have told of. */
interface Actor {
  readonly process: TestProcess;
  executable: string;
  args: readonly string[];
  readonly container: string;
  readonly parent: TestProcess;
}

const { ExecFlag: FLAG, Stdio: STDIO } = records;
const SOCKETS: Readonly<Record<string, number>> = {
  'process.stdin.socket': STDIO.INPUT,
  'process.stdout.socket': STDIO.OUTPUT,
  'process.stdin.network': STDIO.INPUT | STDIO.NETWORK_INPUT,
  'process.stdout.network': STDIO.OUTPUT | STDIO.NETWORK_OUTPUT,
};
const FLAGS: Readonly<Record<string, number>> = {
  'process.exec.memfd': FLAG.EXEC_MEMFD,
  'process.exec.deleted': FLAG.EXEC_DELETED,
  'process.exec.setuid': FLAG.EXEC_SETUID,
  'process.exec.setgid': FLAG.EXEC_SETGID,
  'process.exec.privileged': FLAG.EXEC_PRIVILEGED,
  'process.exec.script': FLAG.EXEC_SCRIPT,
  'process.exec.upper_layer': FLAG.EXEC_UPPER,
  'process.exec.file_capabilities': FLAG.EXEC_FILE_CAPS,
};
const FIRST_CGROUP = 700n;
const ORDINARY_USER = 1000;

/** Makes the processes that events are of. One that an event needs, and that no exec before it has started, was there before the agent. */
export class Processes {
  readonly #host: TestHost;
  readonly #actors: Actor[] = [];
  readonly #cgroups = new Map<string, bigint>();
  readonly #users = new Set<string>();

  constructor(host: TestHost) {
    this.#host = host;
    host.snapshot(host.init, '/usr/lib/systemd/systemd');
  }

  /** The process of an event that is no exec. */
  of(facts: Facts): TestProcess {
    const known = this.#actors.findLast((actor) => fits(actor, facts));
    if (known !== undefined) return known.process;
    const actor = this.#fork(facts);
    const values = this.#execValues(facts, actor);
    actor.process.credentials = values.credentials ?? actor.process.credentials;
    this.#host.snapshot(actor.process, actor.executable, values);
    return actor.process;
  }

  /** The process executes what the event says: a new one, unless the event has the pid of one that is there. */
  exec(facts: Facts): void {
    const pid = facts.number('process.pid');
    const known = pid === undefined ? undefined : this.#actors.find(({ process }) => process.tgid === pid);
    const actor = known ?? this.#fork(facts);
    actor.executable = executableOf(facts);
    actor.args = argsOf(facts, actor.executable);
    const values = this.#execValues(facts, actor);
    const snapshot = facts.bool('process.exec.snapshot');
    if (snapshot) this.#host.snapshot(actor.process, actor.executable, values);
    else this.#host.exec(actor.process, actor.executable, values);
  }

  /** A new process, of the parent that the event names. */
  fork(facts: Facts): void {
    const parent = this.#parent(facts);
    const pid = facts.number('process.pid');
    const process = this.#host.fork(parent, { ...defined({ pid }), cgroup: this.#cgroup(facts) });
    const executable = facts.text('process.executable') ?? facts.text('process.name') ?? '';
    this.#actors.push({ process, executable, args: [], container: containerKey(facts), parent });
  }

  #fork(facts: Facts): Actor {
    const pid = facts.number('process.pid');
    const parent = this.#parent(facts);
    const process = this.#host.fork(parent, { ...defined({ pid }), cgroup: this.#cgroup(facts) });
    process.loginuid = facts.number('user.audit.id') ?? process.loginuid;
    process.tty = facts.number('process.tty') ?? process.tty;
    const executable = executableOf(facts);
    const actor = { process, executable, args: argsOf(facts, executable), container: containerKey(facts), parent };
    this.#actors.push(actor);
    return actor;
  }

  #parent(facts: Facts): TestProcess {
    const pid = facts.number('process.parent.pid');
    const own = facts.any('process.parent.') || facts.any('process.ancestors.');
    if (!own) return this.#host.init;
    const executable = pathOf(facts.parent('executable'), facts.parent('name'), facts.parent('command_line'));
    const args = facts.parent('command_line')?.split(' ') ?? [executable];
    const known = this.#actors.findLast(({ process, ...actor }) =>
      pid === undefined
        ? actor.executable === executable && actor.args.join(' ') === args.join(' ')
        : process.tgid === pid,
    );
    if (known !== undefined) return known.process;
    const process = this.#host.fork(this.#grandparent(facts), {
      ...defined({ pid }),
      cgroup: this.#cgroup(facts),
    });
    const sockets =
      (facts.bool('process.parent.stdin.socket') ? STDIO.INPUT : 0) |
      (facts.bool('process.parent.stdin.network') ? STDIO.INPUT | STDIO.NETWORK_INPUT : 0);
    this.#host.snapshot(process, executable, { argv: args, stdioSockets: sockets });
    this.#actors.push({ process, executable, args, container: containerKey(facts), parent: this.#host.init });
    return process;
  }

  /** Ancestors are listed from the parent upwards; the parent itself is made by its own fields. */
  #grandparent(facts: Facts): TestProcess {
    const names = facts.list('process.ancestors.name') ?? [];
    const lineage =
      facts.list('process.ancestors.executable') ?? names.map((name) => pathOf(undefined, name, undefined));
    // It is above them all anyway.
    const below = lineage.at(-1)?.endsWith('/systemd') ? lineage.slice(0, -1) : lineage;
    let process = this.#host.init;
    for (const path of below.slice(facts.any('process.parent.') ? 1 : 0).reverse()) {
      process = this.#host.fork(process, { cgroup: this.#cgroup(facts) });
      this.#host.snapshot(process, path);
    }
    return process;
  }

  #execValues(facts: Facts, actor: Actor): ExecValues {
    const bits = (table: Readonly<Record<string, number>>): number =>
      Object.entries(table).reduce((all, [name, bit]) => (facts.bool(name) ? all | bit : all), 0);
    const environment = [
      ...(facts.list('process.env_vars') ?? []),
      ...facts.arguments('process.env_vars').map(([name, value]) => `${name}=${value}`),
    ];
    const script = facts.text('process.script') ?? '';
    return {
      argv: actor.args,
      flags: bits(FLAGS) | (script === '' ? 0 : (FLAGS['process.exec.script'] ?? 0)),
      stdioSockets: bits(SOCKETS),
      environment,
      script,
      filename: facts.text('process.exec.filename') ?? actor.executable,
      cwd: facts.text('process.working_directory') ?? '/',
      interpreter: facts.text('process.interpreter') ?? '',
      credentials: this.#credentials(facts, actor.process),
    };
  }

  #credentials(facts: Facts, process: TestProcess): TestProcess['credentials'] {
    const name = facts.text('user.name');
    const named = name === undefined ? undefined : name === 'root' ? 0 : ORDINARY_USER;
    const uid = facts.number('user.id') ?? named;
    const euid = facts.number('user.effective.id') ?? (facts.number('user.id') === undefined ? named : uid) ?? uid;
    const credentials = euid === undefined ? process.credentials : credentialsOf(euid);
    const user = name ?? (credentials.euid === 0 ? 'root' : '');
    if (user !== '' && !this.#users.has(`${credentials.euid} ${user}`)) {
      this.#users.add(`${credentials.euid} ${user}`);
      this.#host.user(credentials.euid, user);
    }
    return { ...credentials, uid: uid ?? credentials.uid, gid: facts.number('group.id') ?? uid ?? credentials.gid };
  }

  /** The control group of the container that the event names; it is told of when it is first named. */
  #cgroup(facts: Facts): bigint {
    const key = containerKey(facts);
    if (key === '') return this.#host.init.cgroup;
    const known = this.#cgroups.get(key);
    if (known !== undefined) return known;
    const cgroup = FIRST_CGROUP + BigInt(this.#cgroups.size);
    this.#cgroups.set(key, cgroup);
    const repository = facts.text('container.image.repository');
    const tag = facts.text('container.image.tag');
    const image =
      facts.text('container.image.name') ?? (repository === undefined ? undefined : `${repository}:${tag ?? 'latest'}`);
    this.#host.container({
      cgroup,
      id: facts.text('container.id') ?? `c0ffee${cgroup}`,
      name: facts.text('container.name') ?? 'web-1',
      image: image ?? 'nginx:1.27',
      runtime: facts.text('container.runtime') ?? 'docker',
      privileged: facts.bool('container.security_context.privileged'),
      labels: Object.fromEntries(facts.arguments('container.labels')),
      namespace: facts.text('orchestrator.namespace') ?? '',
      pod: facts.text('orchestrator.resource.name') ?? '',
    });
    return cgroup;
  }
}

const CONTAINER_FIELDS = ['container.id', 'container.name', 'container.image.name', 'container.image.repository'];

/** What tells containers apart; empty: the event is of the host. */
function containerKey(facts: Facts): string {
  if (!facts.any('container.') && !facts.any('orchestrator.')) return '';
  return CONTAINER_FIELDS.map((name) => facts.text(name) ?? '').join('\0') || 'container';
}

function fits({ process, executable, args, container }: Actor, facts: Facts): boolean {
  const pid = facts.number('process.pid');
  if (pid !== undefined) return process.tgid === pid;
  const same = (said: string | undefined, is: string): boolean => said === undefined || said === is;
  return (
    same(facts.text('process.executable'), executable) &&
    same(facts.text('process.name'), executableName(executable)) &&
    same(facts.text('process.command_line'), args.join(' ')) &&
    (facts.number('user.id') ?? process.credentials.uid) === process.credentials.uid &&
    containerKey(facts) === container &&
    !facts.any('process.parent.')
  );
}

function executableOf(facts: Facts): string {
  const line = facts.text('process.command_line') ?? facts.list('process.args')?.[0];
  return pathOf(facts.text('process.executable'), facts.text('process.name'), line);
}

function pathOf(executable: string | undefined, name: string | undefined, line: string | undefined): string {
  const word = name ?? line?.split(' ')[0] ?? 'process';
  return executable ?? (word.startsWith('/') ? word : `/usr/bin/${word.replace(/^-/, '')}`);
}

function argsOf(facts: Facts, executable: string): readonly string[] {
  return facts.list('process.args') ?? facts.text('process.command_line')?.split(' ') ?? [executable];
}
