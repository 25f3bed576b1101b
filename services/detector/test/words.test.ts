import assert from 'node:assert/strict';
import test from 'node:test';
import {
  createSyntheticHost as createTestHost,
  type SyntheticHost as TestHost,
  type SyntheticProcess as TestProcess,
} from '@ringfence/synthetic';
import { type KindName, layouts } from '@ringfence/wire';
import { createFeed, createTestDetector, detectOne } from './support.ts';

/** Whatever the program /opt/x does is an incident. */
const ANYTHING = `
- rule: Anything
  desc: d
  condition: process.executable = /opt/x
  priority: critical
  tags: [execution, T1059]
`;

/** What the story says that the program did. */
function deedOf(act: (host: TestHost, x: TestProcess) => void): string {
  const host = createTestHost();
  host.snapshot(host.init, '/usr/lib/systemd/systemd');
  const x = host.spawn(host.spawn(host.init, '/usr/sbin/cron'), '/opt/x');
  const feed = createFeed(host);
  feed.next();
  act(host, x);
  const { incidents } = detectOne(createTestDetector({}, ANYTHING), feed.next());
  const [line = '', ...more] = incidents[0]?.story ?? [];
  assert.deepEqual(more, []);
  return /^\S+ (?:\/opt\/x \(pid \d+\) )?(.*): Anything/.exec(line)?.[1] ?? line;
}

/** What no process does, and lines of logs, which are their own words. */
const NO_DEEDS: readonly KindName[] = [
  'Tick',
  'Gap',
  'UserContext',
  'ContainerContext',
  'MountContext',
  'HostContext',
  'Log',
  'Throttled',
  'Finding',
  'Silence',
];

test('whatever kind of event a process causes, the story has words for it', () => {
  for (const { name } of layouts.filter((layout) => !NO_DEEDS.includes(layout.name))) {
    const deed = deedOf((host, x) => {
      if (name === 'Exec') host.exec(x, '/opt/x');
      else if (name === 'CredentialsChange') host.credentials(x, 1);
      else if (name === 'Hash') host.hash(x, '/opt/x', { sha256: '0'.repeat(64) });
      else host.event(x, name, { operation: 1, signal: 9, name: 'a', line: 'b', content: 1, probe: 'c' });
    });
    assert.match(deed, /^\w/, name);
    assert.doesNotMatch(deed, /undefined|did something|no name here/, name);
  }
});

test('datagrams are told with whom they were exchanged, of unix sockets to which they were sent', () => {
  const udp = { family: 2, protocol: 17, port: 53, address: Buffer.from([203, 0, 113, 9]), count: 1 };
  const datagrams = [
    { ...udp, told: 'exchanged datagrams with 203.0.113.9 port 53' },
    { ...udp, result: -1, told: 'tried to send datagrams to 203.0.113.9 port 53' },
    { family: 1, path: '/run/log\u001b', count: 1, told: 'sent datagrams to /run/log\\x1b' },
    { family: 1, path: '/run/no', result: -2, count: 1, told: 'tried to send datagrams to /run/no' },
    { family: 1, count: 1, told: 'sent datagrams to a socket without a name' },
  ];
  for (const { told, ...values } of datagrams)
    assert.equal(
      deedOf((host, x) => host.event(x, 'Datagram', values)),
      told,
    );
});

test('of a host it is told whether nothing is heard of it, or something again', () => {
  const told = [1, 2].map((operation) => deedOf((host, x) => host.event(x, 'Silence', { operation })));
  assert.deepEqual(told, ['nothing was heard of the host', 'the host was heard of again']);
});

test('what a later agent may call otherwise has words, too', () => {
  for (const result of [0, -1])
    assert.match(
      deedOf((host, x) => host.event(x, 'MountChange', { operation: 999, result })),
      /^acted in a way that has no name here/,
    );
});
