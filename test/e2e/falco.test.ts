/** Provokes each of Falco's unchanged stable rules by a real action on this kernel and checks which rules fire. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compileDetectorRules, interestOf } from '@ringfence/detector';
import { createEnricherPipeline } from '@ringfence/enricher';
import { missing, stableRules } from '@ringfence/rules/test/falco';
import { consumerRecords } from '@ringfence/synthetic';
import { cgroupRoot, identity, kernelSkip, memoryBus, startTestCollector, TestPlace } from '@ringfence/testkit/agent';
import { compileProgram } from '@ringfence/testkit/sensor';
import { EventView, TOPIC } from '@ringfence/wire';

const OLD_MS = 5_200;
const CONTAINER = `rf-falco-${process.pid}`;
/** Cgroup of the test container. */
const cgroup = (): string => join(cgroupRoot(), CONTAINER);

interface Action {
  readonly rule: string;
  /** Name of the program in the directory of the test. */
  readonly program: string;
  readonly steps: readonly string[];
  readonly contained?: boolean;
  /** File that must exist. */
  readonly needs?: string;
  /** Other rules of Falco that fire. */
  readonly alsoFires?: readonly string[];
}

const inDirectory = (name: string): string => join(place.directory, name);
const which = (name: string): string =>
  ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].map((folder) => join(folder, name)).find(existsSync) ?? `/usr/bin/${name}`;
const exec = (name: string, ...args: string[]): string[] => ['exec', which(name), name, ...args];

let place: TestPlace;

const actions = (): readonly Action[] => [
  {
    rule: 'Directory traversal monitored file read',
    program: 'attack_steps',
    steps: ['open', '../../../../../../../../etc/rf-none', 'r'],
  },
  {
    rule: 'Read sensitive file trusted after startup',
    program: 'nginx',
    alsoFires: ['Read sensitive file untrusted'],
    steps: ['sleep', String(OLD_MS), 'open', '/etc/shadow', 'r'],
  },
  { rule: 'Read sensitive file untrusted', program: 'attack_steps', steps: ['open', '/etc/shadow', 'r'] },
  { rule: 'Run shell untrusted', program: 'nginx', steps: ['child', ...exec('sh', '-c', ':')] },
  { rule: 'System user interactive', program: 'sshd', steps: ['child', 'as', '1', ...exec('true')] },
  {
    rule: 'Terminal shell in container',
    program: 'runc',
    contained: true,
    steps: ['child', 'tty', ...exec('bash', '-c', ':')],
  },
  {
    rule: 'Netcat Remote Code Execution in Container',
    program: 'attack_steps',
    contained: true,
    steps: ['exec', inDirectory('nc'), 'nc', '-e', '/bin/sh'],
  },
  {
    rule: 'Search Private Keys or Passwords',
    program: 'attack_steps',
    steps: exec('find', inDirectory('none'), '-name', 'id_rsa'),
  },
  { rule: 'Clear Log Activities', program: 'attack_steps', steps: ['open', inDirectory('auth.log'), 'w'] },
  { rule: 'Remove Bulk Data from Disk', program: 'attack_steps', steps: exec('shred', '--version') },
  {
    rule: 'Create Symlink Over Sensitive Files',
    program: 'attack_steps',
    steps: ['symlink', '/etc/shadow', inDirectory('symlink')],
  },
  {
    rule: 'Create Hardlink Over Sensitive Files',
    program: 'attack_steps',
    steps: ['link', '/etc/shadow', inDirectory('none/link')],
  },
  {
    rule: 'Redirect STDOUT/STDIN to Network Connection in Container',
    program: 'attack_steps',
    contained: true,
    steps: ['stream'],
  },
  { rule: 'Contact K8S API Server From Container', program: 'attack_steps', contained: true, steps: ['resolve'] },
  { rule: 'Packet socket created in container', program: 'attack_steps', contained: true, steps: ['packet'] },
  {
    rule: 'Linux Kernel Module Injection Detected',
    program: 'attack_steps',
    contained: true,
    steps: ['module'],
    needs: '/sys/kernel/tracing/events/syscalls/sys_exit_init_module',
  },
  {
    rule: 'Debugfs Launched in Privileged Container',
    program: 'attack_steps',
    contained: true,
    steps: exec('debugfs', '-V'),
    needs: which('debugfs'),
  },
  {
    rule: 'Detect release_agent File Container Escapes',
    program: 'attack_steps',
    contained: true,
    steps: ['open', inDirectory('release_agent'), 'w'],
  },
  { rule: 'PTRACE attached to process', program: 'attack_steps', steps: ['attach'] },
  { rule: 'PTRACE anti-debug attempt', program: 'attack_steps', steps: ['traceme'] },
  { rule: 'Find AWS Credentials', program: 'attack_steps', steps: exec('grep', 'aws_secret_access_key', '/dev/null') },
  { rule: 'Execution from /dev/shm', program: 'attack_steps', steps: ['exec', shared(), shared()] },
  {
    rule: 'Drop and execute new binary in container',
    program: 'overlay',
    contained: true,
    steps: ['exec', inDirectory('merged/dropped'), 'dropped'],
  },
  { rule: 'Disallowed SSH Connection Non Standard Port', program: 'ssh', steps: ['ssh'] },
  { rule: 'Fileless execution via memfd_create', program: 'attack_steps', steps: ['memfd', which('true'), 'payload'] },
];

const shared = (): string => `/dev/shm/rf-falco-${process.pid}`;

/** Root process of each action, by rule. */
const roots = new Map<string, number>();
const fired = new Map<string, Set<string>>();

async function run({ rule, program, steps, contained = false }: Action): Promise<void> {
  const words = contained ? ['in', cgroup(), ...steps] : [...steps];
  const [file, args] = program === 'overlay' ? overlay(words) : [inDirectory(program), words];
  const child = spawn(file, args, { stdio: 'ignore', cwd: '/usr/bin' });
  roots.set(rule, child.pid ?? 0);
  await once(child, 'exit');
}

/** Returns a command that runs the steps in a mount namespace with an overlay of two layers. */
function overlay(steps: readonly string[]): [string, string[]] {
  const script = [
    `cd ${place.directory}`,
    'mkdir lower upper work merged',
    'mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged',
    'cp attack_steps merged/dropped',
    'exec ./attack_steps "$@"',
  ].join(' && ');
  return ['/usr/bin/unshare', ['--mount', '/bin/sh', '-c', script, 'sh', ...steps]];
}

/** Returns the rule of the action that the event's process belongs to. */
function actionOf({ process: subject }: EventView): string | undefined {
  for (let ancestor = subject; ancestor !== undefined; ancestor = ancestor.parent)
    for (const [rule, pid] of roots) if (ancestor.raw.pid === pid) return rule;
  return undefined;
}

const skip = missing || kernelSkip();

describe("Falco's stable rules on the running kernel", { skip }, () => {
  before(async () => {
    place = new TestPlace();
    const rules = compileDetectorRules([{ name: 'falco_rules.yaml', text: stableRules() }]);
    prepare();
    await using bus = await memoryBus();
    // One of the rules would request every read of the machine.
    const interest = { ...interestOf(rules), openPathPrefixes: ['/etc'], openNames: [] };
    const collector = await startTestCollector(place, bus, {}, { interest });
    const [sleeping, ...remaining] = [...actions()].sort(
      (a, b) => Number(b.steps[0] === 'sleep') - Number(a.steps[0] === 'sleep'),
    );
    const slept = run(sleeping!);
    for (const action of remaining) if (action.needs === undefined || existsSync(action.needs)) await run(action);
    await slept;
    await collector.settle();
    await collector.close();
    const raw: Uint8Array[] = [];
    for await (const { value } of bus.read({ topic: TOPIC.raw })) if (value !== null) raw.push(value);
    const enricher = createEnricherPipeline({ enrolment: { keyFor: () => identity.key.publicKey } });
    const { outputs } = enricher.handle(consumerRecords(identity.hostId, raw));
    const view = new EventView();
    for (const { topic, value } of outputs) {
      if (topic !== TOPIC.events || value === null) continue;
      view.open(value);
      while (view.next()) {
        rules.matcher.match(
          view,
          ({ name }) => {
            const action = actionOf(view);
            if (action !== undefined) fired.set(action, (fired.get(action) ?? new Set()).add(name));
          },
          view.timestamp,
        );
      }
    }
  });
  after(() => {
    if (place === undefined) return;
    rmSync(shared(), { force: true });
    if (existsSync(cgroup())) rmdirSync(cgroup());
    place[Symbol.dispose]();
  });

  const table = missing === false ? ruleNames() : [];
  for (const rule of table) {
    test(`${rule}: only this rule fires on its action`, (t) => {
      const action = actions().find((candidate) => candidate.rule === rule);
      if (action === undefined)
        return t.skip('the sensor has no event for this rule, so loading reports that it never matches');
      if (action.needs !== undefined && !existsSync(action.needs)) return t.skip(`${action.needs} does not exist`);
      assert.deepEqual([...(fired.get(rule) ?? [])].sort(), [rule, ...(action.alsoFires ?? [])].sort());
    });
  }
});

function ruleNames(): string[] {
  return [...stableRules().matchAll(/^- rule: (.*)$/gm)].map(([, name = '']) => name);
}

function prepare(): void {
  compileProgram('attack_steps', inDirectory('attack_steps'));
  for (const name of ['nginx', 'sshd', 'runc', 'ssh']) copyFileSync(inDirectory('attack_steps'), inDirectory(name));
  copyFileSync(which('true'), inDirectory('nc'));
  copyFileSync(which('true'), shared());
  mkdirSync(cgroup());
  mkdirSync(inDirectory('containers.d'), { mode: 0o700 });
  const facts = { id: CONTAINER, name: 'web-1', image: 'shop/web:1', runtime: 'test', privileged: true, labels: {} };
  writeFileSync(
    inDirectory(`containers.d/${CONTAINER}.json`),
    JSON.stringify({ cgroupPath: `/${CONTAINER}`, ...facts }),
  );
}
