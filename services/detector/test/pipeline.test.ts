import assert from 'node:assert/strict';
import test from 'node:test';
import { alertReason, storyLines } from '@ringfence/incident-text';
import { O } from '@ringfence/synthetic';
import { alertId, type Incident } from '@ringfence/wire';
import { bootedHost, createFeed, createTestDetector, detectOne, latest, login } from './support.ts';

const storyOf = (incident: Incident | undefined): string[] => (incident === undefined ? [] : storyLines(incident));
const reasonsOf = (incident: Incident | undefined): string[] => (incident?.alerts ?? []).map(alertReason);

test('an alert names the rule, the processes, and the ids of its events', () => {
  const { host, sshd } = bootedHost();
  host.container({ cgroup: 5n, id: 'c5', name: 'web-1', path: '/docker/c5' });
  const bash = login(host, sshd);
  bash.cgroup = 5n;
  host.open(bash, '/etc/shadow');
  const { alerts } = detectOne(createTestDetector(), createFeed(host).next());
  const [alert] = alerts;
  assert.equal(alerts.length, 1);
  const eventId = `${host.hostId}/${host.bootId}/1122334455667788/1/0/1`;
  assert.deepEqual(alert?.events, [eventId]);
  assert.equal(alert?.id, alertId('Shadow read', [eventId]));
  assert.deepEqual([alert?.tactics, alert?.techniques], [['credential-access'], ['T1003.008']]);
  assert.deepEqual([alert?.kind, alert?.priority, alert?.action], ['open', 'warning', 'alert']);
  assert.deepEqual(
    alert?.lineage.map(({ executable, user }) => [executable, user]),
    [
      ['/bin/bash', 'root'],
      ['/usr/sbin/sshd', 'root'],
      ['/usr/sbin/sshd', 'root'],
      ['/usr/lib/systemd/systemd', 'root'],
    ],
  );
  assert.deepEqual([alert?.container?.name, alert?.cgroupPath], ['web-1', '/docker/c5']);
  assert.equal(alert?.fields['file.path'], '/etc/shadow');
});

test('an incident has the process of each alert as a command names it', () => {
  const { host, sshd } = bootedHost();
  host.container({ cgroup: 5n, id: 'c5', name: 'web-1', image: 'shop/web:1', path: '/docker/c5' });
  const bash = login(host, sshd);
  bash.cgroup = 5n;
  for (const path of ['/etc/shadow', '/etc/crontab']) host.open(bash, path, O.WRONLY);
  const { alerts, incidents } = detectOne(createTestDetector({ incidentThreshold: 1 }), createFeed(host).next());
  const [alert, listed] = [alerts[0], incidents.at(-1)?.alerts[0]];
  const process = alert?.lineage[0];
  assert.ok(alert !== undefined && process !== undefined);
  assert.deepEqual([listed?.process?.entityId, listed?.process?.pid], [process.entityId, process.pid]);
  assert.deepEqual(
    { ...listed?.target },
    {
      ...{ bootId: alert.bootId, start: process.start, cgroupPath: '/docker/c5', image: 'shop/web:1' },
    },
  );
});

test('a sequence raises one alert about the event that completed it, with the ids of all events', () => {
  const { host, sshd } = bootedHost();
  const text = `
- rule: Dropped and run
  desc: d
  condition: >
    sequence by process.parent.entity_id with maxspan=10s
      [ event.action = open and file.open.write = true ] as $drop [ event.action = exec and process.executable = $drop.file.path ]
  output: "%1.process.name wrote %$drop.file.path, run as %process.name"
  priority: critical
  tags: [execution, T1204.002]
`;
  const bash = login(host, sshd);
  host.open(host.spawn(bash, '/usr/bin/curl'), '/tmp/x', O.WRONLY | O.CREAT);
  host.spawn(bash, '/tmp/x');
  const { alerts, incidents } = detectOne(createTestDetector({}, text), createFeed(host).next());
  const [alert] = alerts;
  assert.equal(alerts.length, 1);
  assert.equal(alert?.events.length, 2);
  assert.equal(alert?.id, alertId('Dropped and run', alert?.events ?? []));
  assert.equal(alert?.output, 'curl wrote /tmp/x, run as x');
  assert.deepEqual([alert?.fields['1.file.path'], alert?.lineage[0]?.executable], ['/tmp/x', '/tmp/x']);
  assert.equal(incidents.length, 1);
});

test('one critical alert is an incident, one lone notice or warning is not', () => {
  const { host, sshd } = bootedHost();
  const feed = createFeed(host);
  const detector = createTestDetector();
  host.spawn(login(host, sshd), '/usr/bin/id');
  assert.equal(detectOne(detector, feed.next()).incidents.length, 0);
  host.open(login(host, sshd), '/etc/shadow');
  assert.equal(detectOne(detector, feed.next()).incidents.length, 0);
  host.credentials(login(host, sshd), 0);
  assert.equal(detectOne(detector, feed.next()).incidents.length, 1);
});

test('an alert names its host, and the incident that its chain is or would become', () => {
  const { host, sshd } = bootedHost();
  const bash = login(host, sshd);
  const feed = createFeed(host);
  const detector = createTestDetector();
  host.hashes();
  host.open(bash, '/etc/shadow');
  const [lone] = detectOne(detector, feed.next()).alerts;
  assert.equal(lone?.hostname, 'web-1');
  host.open(bash, '/etc/crontab', O.WRONLY);
  const { alerts, incidents } = detectOne(detector, feed.next());
  assert.ok(incidents.length > 0);
  assert.deepEqual(new Set([lone, ...alerts].map((alert) => alert?.incident)), new Set([incidents[0]?.id]));
});

test('two sessions of one host stay apart: the listener and its children are hubs', () => {
  const { host, sshd } = bootedHost();
  for (const bash of [login(host, sshd), login(host, sshd)]) {
    host.open(bash, '/etc/shadow');
    host.open(bash, '/etc/crontab', O.WRONLY);
  }
  const { incidents } = detectOne(createTestDetector(), createFeed(host).next());
  assert.equal(latest(incidents).length, 2);
});

test('jobs of cron and containers of one runtime stay apart, and each entry into a container is one chain', () => {
  const { host, cron } = bootedHost();
  const detector = createTestDetector();
  const feed = createFeed(host);
  for (let i = 0; i < 2; i++) {
    const job = host.spawn(host.fork(cron), '/bin/sh');
    host.open(job, '/etc/shadow');
    host.open(job, '/etc/crontab', O.WRONLY);
  }
  assert.equal(latest(detectOne(detector, feed.next()).incidents).length, 2);
  const shim = host.spawn(host.init, '/usr/bin/containerd-shim-runc-v2');
  host.container({ cgroup: 9n, id: 'c9' });
  for (let i = 0; i < 2; i++) {
    const entry = host.fork(shim, { cgroup: 9n });
    host.exec(entry, '/bin/sh');
    host.open(host.spawn(entry, '/usr/bin/cat'), '/etc/shadow');
    host.open(host.spawn(entry, '/usr/bin/tee'), '/etc/crontab', O.WRONLY);
  }
  const { incidents } = detectOne(detector, feed.next());
  const entries = latest(incidents);
  assert.deepEqual(
    entries.map(({ alerts }) => alerts.length),
    [2, 2],
  );
  assert.match(
    reasonsOf(entries[0])[1] ?? '',
    /^started by \/bin\/sh \(pid \d+\), which also started \/usr\/bin\/cat \(pid \d+\), where "Shadow read" was raised$/,
  );
});

test('a shell started by hand in a container does not join the chain of the shell that entered it', () => {
  const { host, sshd } = bootedHost();
  const bash = login(host, sshd);
  host.open(bash, '/etc/shadow');
  host.container({ cgroup: 9n, id: 'c9' });
  const inside = host.fork(bash, { cgroup: 9n });
  host.exec(inside, '/bin/sh');
  host.open(inside, '/etc/crontab', O.WRONLY);
  assert.equal(detectOne(createTestDetector(), createFeed(host).next()).incidents.length, 0);
});

test('a process named like a hub is no hub from another directory, or if a shell started it', () => {
  const { host, sshd } = bootedHost();
  const bash = login(host, sshd);
  const fakes = [host.spawn(bash, '/tmp/systemd'), host.spawn(bash, '/usr/sbin/sshd')];
  for (const fake of fakes) host.open(host.spawn(fake, '/bin/sh'), '/etc/shadow');
  host.open(host.spawn(bash, '/bin/sh'), '/etc/crontab', O.WRONLY);
  const { incidents } = detectOne(createTestDetector(), createFeed(host).next());
  assert.equal(latest(incidents).length, 1);
  assert.equal(latest(incidents)[0]?.alerts.length, 4);
});

test('an executable that cron starts later is linked to the session that wrote it', () => {
  const { host, sshd, cron } = bootedHost();
  const bash = login(host, sshd);
  host.open(bash, '/etc/cron.d/job', O.WRONLY);
  host.open(bash, '/tmp/job', O.WRONLY);
  host.ktime += 60_000_000;
  const job = host.spawn(host.fork(cron), '/tmp/job');
  const { incidents } = detectOne(createTestDetector(), createFeed(host).next());
  assert.equal(incidents.length, 1);
  assert.equal(
    reasonsOf(incidents[0])[1],
    `/bin/bash (pid ${bash.tgid}) wrote /tmp/job, which /usr/sbin/cron (pid ${job.parent?.tgid}) executed 60 s later`,
  );
});

test('an alert that links two chains merges them: the chain that opened first survives, the other names it', () => {
  const { host, sshd } = bootedHost();
  const [first, second] = [login(host, sshd), login(host, sshd)];
  const feed = createFeed(host);
  const detector = createTestDetector();
  for (const bash of [first, second]) {
    host.open(bash, '/etc/shadow');
    host.open(bash, '/etc/crontab', O.WRONLY);
  }
  const before = detectOne(detector, feed.next()).incidents;
  assert.equal(before.length, 2);
  host.open(second, '/tmp/tool', O.WRONLY);
  host.spawn(first, '/tmp/tool');
  const after = detectOne(detector, feed.next()).incidents;
  assert.deepEqual(
    after.map(({ id, state, mergedInto, version }) => [id, state, mergedInto, version]),
    [
      [before[1]?.id, 'merged', before[0]?.id, 2],
      [before[0]?.id, 'open', '', 2],
    ],
  );
  assert.equal(after[1]?.alerts.length, 5);
  assert.deepEqual(
    reasonsOf(after[1]).filter((reason) => reason.startsWith('opened')),
    [
      'opened this incident',
      `opened ${before[1]?.id}, which turned out to be part of this incident: "Download and execute": /bin/bash (pid ${second.tgid}) wrote /tmp/tool, which /bin/bash (pid ${first.tgid}) executed 2 ms later`,
    ],
  );
});

test('repetitions of a rule about a process are counted, not listed, and sent only up to a limit', () => {
  const { host, sshd } = bootedHost();
  const bash = login(host, sshd);
  const feed = createFeed(host);
  const detector = createTestDetector({ repeatsPerMinute: 5 });
  host.open(bash, '/etc/crontab', O.WRONLY);
  for (let i = 0; i < 1000; i++) host.open(bash, '/etc/shadow');
  const first = detectOne(detector, feed.next());
  assert.equal(first.alerts.length, 6);
  assert.deepEqual(
    [first.incidents.length, first.incidents[0]?.alerts.length, first.incidents[0]?.omittedAlerts],
    [1, 2, 999],
  );
  assert.match(storyOf(first.incidents[0])[1] ?? '', /; 999 more like it until 01:00:01$/);
  host.open(bash, '/etc/shadow');
  assert.equal(detectOne(detector, feed.next()).incidents.length, 0, 'a repetition alone publishes nothing');
  for (let i = 0; i < 10; i++) host.tick();
  assert.equal(detectOne(detector, feed.next()).incidents[0]?.omittedAlerts, 1000);
  assert.equal(detector.stats().suppressed, 996);
});

test('an idle chain closes on a tick, and later alerts open another one', () => {
  const { host, sshd } = bootedHost();
  const bash = login(host, sshd);
  const feed = createFeed(host);
  const detector = createTestDetector({ chainIdleMs: 10_000 });
  host.credentials(bash, 0);
  const [opened] = detectOne(detector, feed.next()).incidents;
  for (let i = 0; i < 12; i++) host.tick();
  const [closed] = detectOne(detector, feed.next()).incidents;
  assert.deepEqual([closed?.id, closed?.state, closed?.version], [opened?.id, 'closed', 2]);
  host.credentials(bash, 0);
  const [next] = detectOne(detector, feed.next()).incidents;
  assert.notEqual(next?.id, opened?.id);
  const stats = detector.stats();
  assert.deepEqual([stats.chains, stats.opened, stats.incidents], [1, 2, 3]);
});

test('when there is no room for a chain, the one that was idle for longest is closed and counted', () => {
  const { host, sshd } = bootedHost();
  const detector = createTestDetector({ maxChains: 3 });
  for (let i = 0; i < 5; i++) host.credentials(login(host, sshd), 0);
  const { incidents } = detectOne(detector, createFeed(host).next());
  assert.deepEqual([detector.stats().chains, detector.stats().evicted], [3, 2]);
  assert.equal(latest(incidents).filter(({ state }) => state === 'closed').length, 2);
});

test('an incident of thousands of alerts with the longest texts stays under 900 kB', () => {
  const { host, sshd } = bootedHost();
  const detector = createTestDetector();
  const bash = login(host, sshd);
  const long = `/tmp/${'\u{1F4A9}'.repeat(900)}`;
  for (let i = 0; i < 400; i++) host.spawn(bash, `${long}${i}`, [long, long]);
  host.credentials(bash, 0);
  const records = createFeed(host).next();
  const { outputs } = detector.handle(records);
  const sizes = outputs.filter(({ topic }) => topic === 'ringfence.incidents').map(({ value }) => value?.length ?? 0);
  assert.ok(sizes.length > 0 && Math.max(...sizes) < 900_000, String(sizes));
  assert.ok(outputs.every(({ value }) => (value?.length ?? 0) < 900_000));
});
