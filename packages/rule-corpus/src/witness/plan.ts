import { type Call, callOf, foreign, type Unperformed } from './calls.ts';
import { Preparation } from './prepare.ts';
import type { Scene } from './scene.ts';

/** A process of the performance: its plan is a file of its own. */
interface Actor {
  plan: string;
}

interface Program {
  readonly path: string;
  readonly args: readonly string[];
  /** Path by which it is started. */
  readonly name: string;
  readonly uid: number;
  readonly effective: number;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly inMemory: boolean;
  readonly isSetUserId: boolean;
}

/** Variables of a started program, as NAME=VALUE. */
export type Variables = readonly string[];

const USUAL = { uid: 0, effective: 0, stdin: false, stdout: false, inMemory: false, isSetUserId: false } as const;
const BY_RUNTIME: Unperformed = { why: 'a container runtime starts it' };
const PATH = 'PATH=/usr/sbin:/usr/bin';
const MEMORY = /^\/memfd:(.*?)( \(deleted\))?$/;
/** Plan of the process from which all others descend. */
export const FIRST_PLAN = 'first.plan';

/** Turns the written events of a witness into plans of processes, which make the same events happen. */
export class Plan {
  readonly prepared: Preparation = new Preparation();
  /** Calls of each plan, in order. */
  readonly plans: Map<string, string[]> = new Map([[FIRST_PLAN, []]]);
  readonly #actors = new Map<string, Actor>();
  readonly #variables: Variables;
  #turn = 0;

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  /** Adds an event. Returns why it can't be performed, if so. */
  add(scene: Scene): Unperformed | undefined {
    const id = scene.text('process.entity_id');
    const program = programOf(scene);
    const refused = scene.text('container.entry') === 'exec' ? BY_RUNTIME : refusedPath(program);
    if (refused !== undefined) return refused;
    const known = this.#actors.get(id);
    if (scene.text('event.action') === 'exec') {
      if (known === undefined) return this.#start(scene, program);
      known.plan = this.#execute(known, 'exec', program);
      return undefined;
    }
    const unstarted = known === undefined ? this.#start(scene, program) : undefined;
    if (unstarted !== undefined) return unstarted;
    const call = callOf(scene, this.prepared);
    if ('why' in call) return call;
    // It can go several times if it is there each time.
    if (call[0] === 'unlink' || call[0] === 'rename') this.#call({ plan: FIRST_PLAN }, ['make', call[1] ?? '']);
    this.#call(this.#actors.get(id), call);
    return undefined;
  }

  #start(scene: Scene, program: Program): Unperformed | undefined {
    const parent = this.#parentOf(scene);
    if ('why' in parent) return parent;
    this.#actors.set(scene.text('process.entity_id'), { plan: this.#execute(parent, 'start', program) });
    return undefined;
  }

  /** The parent starts below its own ancestors, the oldest first. */
  #parentOf(scene: Scene): Actor | Unperformed {
    const id = scene.text('process.parent.entity_id');
    const known = this.#actors.get(id);
    if (known !== undefined) return known;
    const [, ...older] = scene.list('process.ancestors.executable');
    let actor: Actor = { plan: FIRST_PLAN };
    for (const n of [...older.keys()].reverse()) {
      const key = older.slice(n).join('\0');
      const path = older[n] ?? '';
      const refused = foreign(path);
      if (refused !== undefined) return refused;
      const next = this.#actors.get(key) ?? {
        plan: this.#execute(actor, 'start', { ...USUAL, path, args: [path], name: path }),
      };
      this.#actors.set(key, next);
      actor = next;
    }
    const path = scene.text('process.parent.executable');
    if (path === '') return actor;
    const refused = foreign(path);
    if (refused !== undefined) return refused;
    const line = scene.text('process.parent.command_line');
    const stdin = scene.is('process.parent.stdin.network');
    const args = line === '' ? [path] : line.split(' ');
    const parent = { plan: this.#execute(actor, 'start', { ...USUAL, path, args, name: path, stdin }) };
    this.#actors.set(id, parent);
    return parent;
  }

  /** Returns the name of the new program's plan. */
  #execute(actor: Actor, how: 'start' | 'exec', program: Program): string {
    const { path, args, name, uid, effective, stdin, stdout, inMemory, isSetUserId } = program;
    if (!inMemory) this.prepared.program(path, isSetUserId);
    if (name !== path && !inMemory) this.prepared.nameOf(path, name);
    if (stdin || stdout) this.prepared.network();
    const plan = `${this.plans.size}.plan`;
    this.plans.set(plan, []);
    const io = [stdin ? 1 : 0, stdout ? 1 : 0, inMemory ? (MEMORY.exec(path)?.[1] ?? 'x') : ''];
    const variables = [PATH, ...this.#variables];
    this.#call(actor, [how, `/opt/lab/${plan}`, name, uid, effective, ...io, args.length, ...args, ...variables]);
    return plan;
  }

  #call(actor: Actor | undefined, call: Call): void {
    const words = [this.#turn++, ...call].map((word) => encodeURIComponent(String(word)));
    this.plans.get(actor?.plan ?? FIRST_PLAN)?.push(words.join('\t'));
  }
}

function programOf(scene: Scene): Program {
  const path = scene.text('process.executable') || '/usr/bin/program';
  const args = scene.list('process.args');
  const inMemory = scene.is('process.exec.memfd') || MEMORY.test(path);
  const isSetUserId = scene.is('process.exec.setuid');
  return {
    path,
    args: args.length === 0 ? [path] : args,
    name: scene.text('process.exec.filename') || path,
    uid: scene.number('user.id'),
    effective: scene.number(isSetUserId ? 'user.id' : 'user.effective.id'),
    stdin: scene.is('process.stdin.network'),
    stdout: scene.is('process.stdout.network'),
    inMemory,
    isSetUserId,
  };
}

function refusedPath({ path, name, inMemory }: Program): Unperformed | undefined {
  if (inMemory) return undefined;
  return foreign(path) ?? (name === path ? undefined : foreign(name));
}
