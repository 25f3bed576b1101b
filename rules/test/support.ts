import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createEnricherPipeline } from '@ringfence/enricher';
import { catalogue, eventKinds } from '@ringfence/fields';
import {
  type CompileOptions,
  compileRules,
  formatOutput,
  type OnMatch,
  type Profile,
  RuleMemory,
  type RuleSet,
  type RuleSource,
  render,
} from '@ringfence/rules';
import {
  type ContainerValues,
  credentialsOf,
  type ExecValues,
  TestHost,
  type TestProcess,
  testLogs,
  testRecords,
} from '@ringfence/testkit';
import { createSigningKey, EventView, KIND, records, TOPIC } from '@ringfence/wire';

const { ExecFlag: FLAG, Stdio: STDIO } = records;
export const contentFolder: string = join(import.meta.dirname, '..');
export const contentFiles: readonly string[] = readdirSync(contentFolder).filter((name) => name.endsWith('.yaml'));
export const content: readonly RuleSource[] = contentFiles.map((name) => ({
  name,
  text: readFileSync(join(contentFolder, name), 'utf8'),
}));

const key = createSigningKey();

/** An ordinary user, and nobody: what exploited services run as. */
export const USER: ExecValues = { credentials: credentialsOf(1000) };
export const NOBODY: ExecValues = { credentials: credentialsOf(65534) };
/** Real user 1000, effective user root: what a set-user-id program gives. */
export const RAISED: ExecValues = { credentials: { ...credentialsOf(0), uid: 1000, gid: 1000 } };
/** Standard input and output are a connection to another machine, or a pair of unix sockets as Node and sshd make them. */
export const PAIRED: ExecValues = { stdioSockets: STDIO.INPUT | STDIO.OUTPUT };
export const REMOTE: ExecValues = {
  stdioSockets: STDIO.INPUT | STDIO.OUTPUT | STDIO.NETWORK_INPUT | STDIO.NETWORK_OUTPUT,
};
export const EXEC: Readonly<Record<'memfd' | 'deleted' | 'setuid' | 'script', number>> = {
  memfd: FLAG.EXEC_MEMFD,
  deleted: FLAG.EXEC_DELETED,
  setuid: FLAG.EXEC_SETUID,
  script: FLAG.EXEC_SCRIPT,
};

/** A machine with systemd, somebody logged in by ssh, and containers: what most cases need. Every method adds events. */
export class Scene extends TestHost {
  /** root's shell, by ssh */
  readonly shell: TestProcess;
  readonly sshd: TestProcess;
  /** Every program ran before the agent did. */
  readonly #found: boolean;
  /** of the host's log */
  readonly lines: string[] = [];
  #containers = 0;
  #inside: TestProcess | undefined;

  constructor(options: { readonly found?: boolean } = {}) {
    super({ key });
    this.#found = options.found ?? false;
    this.user(0, 'root');
    this.user(1000, 'ann');
    this.snapshot(this.init, '/usr/lib/systemd/systemd');
    this.sshd = this.start('/usr/sbin/sshd -D', this.init);
    this.shell = this.start('-bash', this.spawn(this.sshd, '/usr/lib/openssh/sshd-session'), {}, '/usr/bin/bash');
  }

  /** The first process of a container, `/app/server`; the same one each time. */
  get inside(): TestProcess {
    this.#inside ??= this.startContainer({ image: 'shop:1' });
    return this.#inside;
  }

  override exec(process: TestProcess, path: string, values: ExecValues = {}): TestProcess {
    return super.exec(process, path, this.#found ? { ...values, snapshot: true, filename: '' } : values);
  }

  /** A new process. Words are split at spaces, unless they are given as a list; the executable is the first of them, or `path`. */
  start(
    words: string | readonly string[],
    parent: TestProcess = this.shell,
    values: ExecValues = {},
    path?: string,
  ): TestProcess {
    const argv = typeof words === 'string' ? words.split(' ') : words;
    return this.spawn(parent, path ?? argv[0] ?? '', argv, values);
  }

  /** Lines as programs write them into the host's log. */
  log(...lines: string[]): void {
    for (const line of lines) this.lines.push(`Jan  1 01:00:00 web-1 ${line}`);
  }

  /** runc makes a container, as a copy of itself, and becomes `entry`, its first program; returns that process. */
  startContainer(values: Partial<ContainerValues> = {}, entry = '/app/server'): TestProcess {
    const cgroup = BigInt(700 + this.#containers++);
    this.container({ cgroup, id: `c0ffee${cgroup}`, name: 'web-1', image: 'nginx:1.27', ...values });
    const create = this.start('/usr/sbin/runc create x', this.start('/usr/bin/containerd-shim-runc-v2', this.init));
    const first = this.fork(this.fork(this.start('runc init', create, {}, '/'), { cgroup }));
    first.namespaces = { ...first.namespaces, pid: 50 + this.#containers, pidInNs: 1 };
    return this.exec(first, entry);
  }
}

/** Where a command runs that came through a hole in a web server: its parent, and whose it is. */
export function underWebServer(scene: Scene): [parent: TestProcess, values: ExecValues] {
  return [scene.start('/bin/sh -c x', scene.start('/usr/sbin/httpd', scene.init)), NOBODY];
}

export interface Match {
  readonly rule: string;
  readonly profile: Profile;
  readonly priority: string;
  readonly output: string;
}

/** What the rules say about the scene's events, which take the way of real ones: signed batch, enricher, matcher. */
export function judge(scene: TestHost, rules: RuleSet<EventView> = builtIn()): Match[] {
  const keyFor = () => scene.key.publicKey;
  const enricher = createEnricherPipeline({ enrolment: { keyFor } });
  const logs = scene instanceof Scene && scene.lines.length > 0 ? [testLogs(scene, scene.lines)] : [];
  const { outputs } = enricher.handle([
    ...testRecords(scene.hostId, [scene.batch()]),
    ...testRecords(scene.hostId, logs, TOPIC.logsRaw),
  ]);
  const view = new EventView();
  const matches: Match[] = [];
  const matched: OnMatch<EventView> = (rule, sequence) => {
    const { name, profile, priority } = rule;
    matches.push({ rule: name, profile, priority, output: formatOutput(rule, view, sequence) });
  };
  for (const { value } of outputs) {
    view.open(value ?? new Uint8Array());
    while (view.next()) {
      rules.matcher.match(view, matched, view.timestamp);
      if (view.cursor.kind === KIND.Tick) rules.memory.of(view).tick(rules.rules, view.timestamp, matched);
    }
  }
  return matches;
}

let compiled: RuleSet<EventView> | undefined;

let memory = new RuleMemory({ changelog: false });

/** The built-in content, which remembers nothing yet. */
export function builtIn(): RuleSet<EventView> {
  compiled ??= compile(content, { memory: { of: () => memory, isFirst: (...asked) => memory.isFirst(...asked) } });
  memory = new RuleMemory({ changelog: false });
  return compiled;
}

export function compile(
  sources: readonly RuleSource[],
  more: Partial<CompileOptions<EventView>> = {},
): RuleSet<EventView> {
  const set = compileRules({ sources, catalogue, kinds: eventKinds, ...more });
  const shown = set.diagnostics.map((found) => {
    const source = sources.find(({ name }) => name === found.file);
    return render(found, source?.text ?? '');
  });
  assert.deepEqual(shown, []);
  return set;
}

type Play = (scene: Scene) => void;

/** Titles and what happens: `fires` where the rule must match, `quiet` where it must not, the nearer to a match the better. */
export interface RuleCases {
  /** priority, tactics and techniques as the rule has them */
  readonly as: string;
  readonly fires: Readonly<Record<string, Play>>;
  readonly quiet: Readonly<Record<string, Play>>;
}

/** The table of one content file: each of its rules with its cases. */
export function testContent(file: string, tables: Readonly<Record<string, RuleCases>>): void {
  describe(file, () => {
    const rules = builtIn().rules.filter((rule) => rule.file === file);

    it('has a table for each rule, and no other', () => {
      assert.deepEqual(rules.map(({ name }) => name).sort(), Object.keys(tables).sort());
    });

    for (const [name, { as, fires, quiet }] of Object.entries(tables)) {
      describe(name, () => {
        it(`is ${as}`, () => {
          const rule = rules.find((one) => one.name === name);
          assert.equal([rule?.priority, ...(rule?.tags ?? [])].join(' '), as);
        });
        it('has a case that fires and two that are quiet, or more', () => {
          assert.ok(Object.keys(fires).length >= 1);
          assert.ok(Object.keys(quiet).length >= 2);
        });
        for (const [title, play] of Object.entries(fires)) {
          it(`fires: ${title}`, () => {
            const matched = matchesOf(name, play);
            assert.ok(matched.length > 0, `${name} did not match`);
            for (const { output } of matched) assert.ok(output.length > 0);
          });
        }
        for (const [title, play] of Object.entries(quiet)) {
          it(`is quiet: ${title}`, () => assert.deepEqual(matchesOf(name, play), []));
        }
        it('is quiet about programs that were started before the agent', () => {
          if (rules.find((one) => one.name === name)?.kinds.join() !== 'exec') return;
          for (const play of Object.values(fires))
            assert.deepEqual(matchesOf(name, play, new Scene({ found: true })), []);
        });
      });
    }
  });
}

function matchesOf(rule: string, play: Play, scene: Scene = new Scene()): Match[] {
  play(scene);
  return judge(scene).filter((match) => match.rule === rule);
}
