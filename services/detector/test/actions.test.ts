import assert from 'node:assert/strict';
import test from 'node:test';
import { storyLines } from '@ringfence/incident-text';
import { createTestHost, type TestHost, type TestProcess } from '@ringfence/testkit';
import { type KindName, layouts } from '@ringfence/wire';
import { createFeed, createTestDetector, detectOne } from './support.ts';

/** Any action of the program /opt/x is an incident. */
const ANYTHING = `
- rule: Anything
  desc: d
  condition: process.executable = /opt/x
  priority: critical
  tags: [execution, T1059]
`;

/** Returns the action of the program as the timeline shows it. */
function sentenceOf(act: (host: TestHost, x: TestProcess) => void): string {
  const host = createTestHost();
  host.snapshot(host.init, '/usr/lib/systemd/systemd');
  const x = host.spawn(host.spawn(host.init, '/usr/sbin/cron'), '/opt/x');
  const feed = createFeed(host);
  feed.next();
  act(host, x);
  const { incidents } = detectOne(createTestDetector({}, ANYTHING), feed.next());
  const [line = '', ...more] = incidents[0] === undefined ? [] : storyLines(incidents[0]);
  assert.deepEqual(more, []);
  return /^\S+ (?:\/opt\/x \(pid \d+\) )?(.*): Anything/.exec(line)?.[1] ?? line;
}

/** Events that no process causes, and lines of logs, which are sentences already */
const NO_ACTIONS: readonly KindName[] = [
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

test('the timeline has a sentence for every kind of event that a process causes', () => {
  for (const { name } of layouts.filter((layout) => !NO_ACTIONS.includes(layout.name))) {
    const sentence = sentenceOf((host, x) => {
      if (name === 'Exec') host.exec(x, '/opt/x');
      else if (name === 'CredentialsChange') host.credentials(x, 1);
      else if (name === 'Hash') host.hash(x, '/opt/x', { sha256: '0'.repeat(64) });
      else host.event(x, name, { operation: 1, signal: 9, name: 'a', line: 'b', content: 1, probe: 'c' });
    });
    assert.match(sentence, /^\w/, name);
    assert.doesNotMatch(sentence, /undefined|acted/, name);
  }
});

test('datagrams are shown with their peer, and those to a unix socket with its path', () => {
  const udp = { family: 2, protocol: 17, port: 53, address: Buffer.from([203, 0, 113, 9]), count: 1 };
  const datagrams = [
    { ...udp, text: 'exchanged datagrams with 203.0.113.9 port 53' },
    { ...udp, result: -1, text: 'tried to send datagrams to 203.0.113.9 port 53' },
    { family: 1, path: '/run/log\u001b', count: 1, text: 'sent datagrams to /run/log\\x1b' },
    { family: 1, path: '/run/no', result: -2, count: 1, text: 'tried to send datagrams to /run/no' },
    { family: 1, count: 1, text: 'sent datagrams to a socket without a name' },
  ];
  for (const { text, ...values } of datagrams)
    assert.equal(
      sentenceOf((host, x) => host.event(x, 'Datagram', values)),
      text,
    );
});

test('the timeline shows that a host stopped reporting, and that it reports again', () => {
  const texts = [1, 2].map((operation) => sentenceOf((host, x) => host.event(x, 'Silence', { operation })));
  assert.deepEqual(texts, ['the host stopped reporting', 'the host reports again']);
});

test('an operation that only a later agent knows has a sentence, too', () => {
  for (const result of [0, -1])
    assert.match(
      sentenceOf((host, x) => host.event(x, 'MountChange', { operation: 999, result })),
      /^acted in a way that this version has no words for/,
    );
});
