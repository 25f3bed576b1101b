import { didYouMean } from '@ringfence/rules';
import { type GivenEvent, type GivenLine, type GivenProcess, readProcess } from './given.ts';

/** Processes that a test may name, and how each is started. */
export type Cast = ReadonlyMap<string, GivenProcess>;

/** Names that every test has and that no command line describes. */
const SPECIAL: readonly string[] = ['systemd', 'kthreadd', 'runc', 'container', 'none'];

/**
 * Names that every test has. An intruder has come in by `web shell` or by `reverse shell`; `shell` is root's login over
 * SSH.
 */
export const CAST: Cast = new Map(
  Object.entries({
    sshd: { exec: '/usr/sbin/sshd -D', parent: 'systemd' },
    'sshd-session': { exec: '/usr/lib/openssh/sshd-session', parent: 'sshd' },
    shell: { exec: '-bash', 'process.executable': '/usr/bin/bash', parent: 'sshd-session' },
    cron: { exec: '/usr/sbin/cron -f', parent: 'systemd' },
    'web server': { exec: '/usr/sbin/httpd', parent: 'systemd' },
    'web shell': { exec: '/bin/sh -c x', parent: 'web server', 'user.name': 'nobody' },
    'reverse shell': {
      exec: '/bin/sh',
      parent: 'container',
      'process.stdin.network': 'true',
      'process.stdout.network': 'true',
    },
  }).map(([name, entries]) => [name, readProcess(Object.entries(entries))]),
);

/** The names that a test may use at one point: those of every test, of its file, and of its earlier events. */
export class KnownNames {
  readonly #names: Set<string>;

  constructor(cast: Cast) {
    this.#names = new Set([...SPECIAL, ...CAST.keys(), ...cast.keys()]);
  }

  /** Returns what is wrong with the names that the event uses, and learns the name that it gives. */
  check(event: GivenEvent): string | undefined {
    const { process, parent, target, as, events = [] } = event;
    const fault = [process, parent, target].map((line) => this.checkLine(line)).find((found) => found !== undefined);
    if (as !== undefined) this.#names.add(as);
    return fault ?? events.map((inner) => this.check(inner)).find((found) => found !== undefined);
  }

  checkLine(line: GivenLine | undefined): string | undefined {
    const unknown = line?.find(({ name }) => name !== undefined && !this.#names.has(name) && !name.includes('{n}'));
    if (unknown?.name === undefined) return undefined;
    const hint = didYouMean(unknown.name, this.#names, 'A command line begins with a slash.');
    return `no process is called '${unknown.name}'. ${hint}`;
  }
}
