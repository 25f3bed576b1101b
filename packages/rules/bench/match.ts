/**
 * What matching costs: events per second with 25 rules, with the same copied and renamed to 1,000, and with 1,000 whose literals all differ.
 * Run: node --conditions=@ringfence/source packages/rules/bench/match.ts
 */
import type { EventKinds, FieldCatalogue, FieldSpec } from '../src/catalogue.ts';
import { compileRules, type RuleSet } from '../src/rule-set.ts';

interface BenchEvent {
  kind: number;
  name: string;
  executable: string;
  args: string;
  parent: string;
  image: string | undefined;
  path: string;
  port: number;
  address: string;
}

const KINDS = ['exec', 'open', 'connect'];
const kinds: EventKinds<BenchEvent> = { names: KINDS, of: (event) => event.kind };

function field(
  name: string,
  type: FieldSpec<BenchEvent>['type'],
  get: FieldSpec<BenchEvent>['get'],
  more: Partial<FieldSpec<BenchEvent>> = {},
): FieldSpec<BenchEvent> {
  return { name, type, get, doc: name, ...more };
}

const catalogue: FieldCatalogue<BenchEvent> = {
  fields: [
    field('event.action', 'string', (event) => KINDS[event.kind]!, {
      constants: { exec: 'exec', open: 'open', connect: 'connect' },
    }),
    field('process.name', 'string', (event) => event.name),
    field('process.executable', 'string', (event) => event.executable),
    field('process.command_line', 'string', (event) => event.args, { kinds: ['exec'] }),
    field('process.parent.name', 'string', (event) => event.parent),
    field('container.image', 'string', (event) => event.image),
    field('file.path', 'string', (event) => event.path, { kinds: ['open'] }),
    field('destination.port', 'number', (event) => event.port, { kinds: ['connect'] }),
    field('destination.ip', 'ip', (event) => event.address, { kinds: ['connect'] }),
  ],
};

/** `#` stands for what makes the copies differ. */
const CONDITIONS = [
  "process.executable in (/bin/sh#, /bin/bash#, /bin/dash#) and container.image not in ('debug:latest')",
  'event.action = exec and process.name in (nc#, ncat#, socat#)',
  'event.action = exec and process.command_line contains (/dev/tcp/#, /dev/udp/#)',
  'event.action = exec and process.parent.name in (nginx#, httpd#, php-fpm#) and process.name in (sh, bash)',
  'event.action = exec and process.executable startswith (/tmp/#, /dev/shm/#)',
  "event.action = exec and process.command_line contains 'base64 -d#'",
  'event.action = exec and process.name = chmod and process.command_line contains +s#',
  'event.action = exec and process.executable endswith (.miner#, xmrig#)',
  'event.action = exec and process.command_line regex "curl[^|]*[|] *(ba)?sh#"',
  'event.action = exec and process.name = insmod#',
  'file.path pmatch (/etc/cron.d#, /var/spool/cron#)',
  'file.path in (/etc/passwd#, /etc/shadow#, /etc/sudoers#)',
  'file.path startswith /etc/systemd/system/#',
  'file.path endswith .ssh/authorized_keys#',
  'file.path = /etc/ld.so.preload#',
  'file.path startswith /proc/ and file.path endswith /mem#',
  'file.path startswith /root/.aws# and not process.name in (aws)',
  'file.path glob "/home/*/.bash_history#"',
  'file.path startswith /boot# and container.image exists',
  'file.path contains docker.sock#',
  'destination.port in (4444, 1337, 31337) and process.name in (bash#, sh#)',
  'destination.ip cidr (169.254.169.254) and process.name != cloud-init and process.parent.name = x#',
  'event.action = connect and container.image startswith redis# and not destination.ip cidr (10.0.0.0/8)',
  'event.action = connect and process.executable startswith /tmp/#',
  'event.action = connect and process.name in (curl#, wget#) and container.image exists',
];

function compile(copies: number, distinct: boolean): RuleSet<BenchEvent> {
  const rules = Array.from({ length: copies }, (_, copy) =>
    CONDITIONS.map(
      (condition, i) =>
        `- rule: r${copy}-${i}\n  condition: ${JSON.stringify(condition.replaceAll('#', distinct && copy > 0 ? `.${copy}` : ''))}\n`,
    ),
  );
  const set = compileRules({ sources: [{ name: 'bench.yaml', text: rules.flat().join('') }], catalogue, kinds });
  for (const { message } of set.diagnostics) throw new Error(message);
  return set;
}

/** A mix as a busy host has it: mostly opens, few of which matter. Deterministic. */
function makeEvents(count: number): BenchEvent[] {
  let seed = 1;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % n;
  };
  const names = ['node', 'postgres', 'nginx', 'python3', 'sshd', 'cc1', 'ld', 'git', 'bash', 'curl'];
  const directories = [
    '/usr/lib/x86_64-linux-gnu',
    '/proc/1234',
    '/etc/ssl/certs',
    '/var/lib/postgresql/data',
    '/home/dev/src',
    '/tmp/build',
  ];
  return Array.from({ length: count }, (_, i) => {
    const name = names[random(names.length)]!;
    const draw = random(100);
    return {
      kind: draw < 80 ? 1 : draw < 90 ? 2 : 0,
      name,
      executable: `/usr/bin/${name}`,
      args: `${name} --flag=${random(1000)} -o /tmp/out/${i} ${directories[random(6)]}/input.c`,
      parent: names[random(names.length)]!,
      image: random(3) === 0 ? 'registry.local/app:1.2' : undefined,
      path: `${directories[random(6)]}/file${random(10_000)}.so`,
      port: random(65_536),
      address: `10.${random(256)}.${random(256)}.${random(256)}`,
    };
  });
}

const events = makeEvents(50_000);

/** Events per second: the best of several runs, since whatever else the machine does only makes it slower. */
function measure(set: RuleSet<BenchEvent>): { perSecond: number; matched: number } {
  let best = 0;
  let matched = 0;
  for (let run = 0; run < 12; run++) {
    const start = performance.now();
    matched = 0;
    for (const event of events) matched += set.matcher.match(event, ignore, 0);
    best = Math.max(best, (events.length / (performance.now() - start)) * 1000);
  }
  return { perSecond: best, matched };
}

function ignore(): void {}

const cases: readonly (readonly [string, number, boolean])[] = [
  ['25 rules', 1, false],
  ['1,000 rules, copied and renamed', 40, false],
  ['1,000 rules, all literals different', 40, true],
];
let base = 0;
for (const [label, copies, distinct] of cases) {
  const start = performance.now();
  const set = compile(copies, distinct);
  const compileMs = performance.now() - start;
  const { perSecond, matched } = measure(set);
  base ||= perSecond;
  const figures = `${Math.round(perSecond).toLocaleString('en')} events/s, ${(perSecond / base).toFixed(2)} of the first; compiled in ${compileMs.toFixed(0)} ms`;
  console.log(`${label.padEnd(38)} ${figures}; ${matched} matches in ${events.length} events`);
}
