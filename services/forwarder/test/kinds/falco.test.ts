import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createTestLineage } from '@ringfence/synthetic';
import { Priorities } from '@ringfence/wire';
import { alertItem, type Received, sendOnce, startReceiver } from '../support.ts';
import { accepts } from './falco-receiver.ts';

const sinkAt = (url: string): string => `{sink: sidekick, type: falco, url: '${url}'}`;

const eventOf = (received: readonly Received[]) => JSON.parse(received[0]!.body);

suite('a falco sink', () => {
  test("sends an alert as Falco's JSON, with Falco's names of the fields", async () => {
    await using receiver = await startReceiver(accepts);
    const item = alertItem(1, {
      priority: 'critical',
      tags: ['network'],
      lineage: [createTestLineage(100), { ...createTestLineage(99), executable: '/usr/sbin/nginx' }],
      fields: { 'destination.port': '443', 'file.path': '/etc/passwd', 'falco.fd.typechar': 'f', 'my.list': 'x=y' },
      container: {
        id: '0123456789abcdef0123456789abcdef',
        name: 'web-1',
        image: 'registry.example:5000/shop/web:1.4@sha256:ab',
        labels: { 'io.kubernetes.pod.namespace': 'shop', 'io.kubernetes.pod.name': 'web-abc', other: 'x' },
        runtime: 'containerd',
        imageDigests: [],
      } as never,
    });
    assert.deepEqual(await sendOnce(sinkAt(receiver.url), [item]), []);
    const { output_fields, ...event } = eventOf(receiver.received);
    assert.deepEqual(event, {
      uuid: item.id,
      output: `${event.time.slice(11, -1)}: Critical a shell was started (sequence 1)`,
      priority: 'Critical',
      rule: 'Shell in container',
      time: item.document['@timestamp'],
      source: 'syscall',
      hostname: item.document['host.name'] ?? item.document['host.id'],
      tags: ['network', 'mitre_execution', 'T1059.004'],
    });
    const expected = {
      'proc.name': 'sh',
      'proc.exepath': '/bin/sh',
      'proc.cmdline': 'sh -c id',
      'proc.pid': 100,
      'proc.pname': 'nginx',
      'proc.ppid': 99,
      'user.name': 'root',
      'fd.name': '/etc/passwd',
      'fd.sport': 443,
      'fd.typechar': 'f',
      'my.list': 'x=y',
      'container.id': '0123456789ab',
      'container.name': 'web-1',
      'container.image.repository': 'registry.example:5000/shop/web',
      'container.image.tag': '1.4',
      'k8s.ns.name': 'shop',
      'k8s.pod.name': 'web-abc',
    };
    const shown = Object.keys(expected).map((name) => [name, output_fields[name]]);
    assert.deepEqual(Object.fromEntries(shown), expected);
  });

  for (const priority of Priorities) {
    test(`is understood with the priority ${priority}`, async () => {
      await using receiver = await startReceiver(accepts);
      assert.deepEqual(await sendOnce(sinkAt(receiver.url), [alertItem(1, { priority })]), []);
    });
  }

  test('says that a process on the host is in no container, as Falco does', async () => {
    await using receiver = await startReceiver(accepts);
    await sendOnce(sinkAt(receiver.url), [alertItem(1)]);
    assert.equal(eventOf(receiver.received).output_fields['container.id'], 'host');
  });

  test('bounds hostile text and keeps it on one line', async () => {
    await using receiver = await startReceiver(accepts);
    const hostile = `a"\\\n\u001b[2J\u202e${'é'.repeat(2 ** 20)}`;
    await sendOnce(sinkAt(receiver.url), [alertItem(1, { output: hostile, rule: hostile, fields: { x: hostile } })]);
    const { body } = receiver.received[0]!;
    assert.ok(body.length < 40_000);
    const { output, rule } = JSON.parse(body);
    assert.doesNotMatch(`${output}${rule}`, /[\p{Cc}\p{Cf}]/u);
  });

  test('gives up only the alert that is refused', async () => {
    await using receiver = await startReceiver(({ body }) => ({ status: body.includes('sequence 7') ? 400 : 200 }));
    const items = Array.from({ length: 40 }, (_, i) => alertItem(i));
    const rejections = await sendOnce(sinkAt(receiver.url), items);
    assert.deepEqual(
      rejections.map(({ item }) => item.id),
      [items[7]!.id],
    );
    assert.equal(receiver.received.length, 40);
  });

  test('sends alerts again, with the same ids, when the receiver was away', async () => {
    let away = true;
    await using receiver = await startReceiver(() => ({ status: away ? 503 : 200 }));
    const items = [alertItem(1), alertItem(2)];
    await assert.rejects(sendOnce(sinkAt(receiver.url), items), { code: 'ERR_SINK_UNAVAILABLE' });
    away = false;
    await sendOnce(sinkAt(receiver.url), items);
    const ids = new Set(receiver.received.map(({ body }) => JSON.parse(body).uuid));
    assert.deepEqual(ids, new Set(items.map(({ id }) => id)));
  });
});
