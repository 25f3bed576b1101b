import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, type Event, matches } from './support.ts';

function fires(selection: string, kind: string, values: Event['values']): boolean {
  const set = compile(
    `title: T\nlogsource: { product: linux, category: network_connection }\ndetection:\n  sel: { ${selection} }\n  condition: sel\n`,
  );
  assert.deepEqual(set.diagnostics, []);
  return matches(set, { kind, values }).length === 1;
}

const ip = {
  'network.type': 'ipv4',
  'event.outcome': 'success',
  'process.executable': '/usr/bin/bash',
  'destination.ip': '192.0.2.1',
};

test('a Sigma network connection is an established IP connection or an outgoing name query', () => {
  const cases: readonly (readonly [string, string, Event['values'], boolean])[] = [
    ['Image|endswith: /bash', 'connect', ip, true],
    ['Image|endswith: /bash', 'connect', { ...ip, 'network.type': 'unix' }, false],
    ['Image|endswith: /bash', 'connect', { ...ip, 'event.outcome': 'failure' }, false],
    ['Initiated: true', 'connect', ip, true],
    ["Initiated: 'false'", 'accept', ip, true],
    ["Initiated: 'true'", 'accept', ip, false],
    ['DestinationIp: [192.0.2.1, 192.0.2.2]', 'connect', ip, true],
    ['DestinationIp|cidr: 192.0.2.0/24', 'connect', ip, true],
    ["DestinationIp: '192.0.*'", 'connect', ip, true],
    ['DestinationIp|startswith: 10.', 'connect', ip, false],
    ['DestinationPort: 443', 'connect', { ...ip, 'destination.port': 443 }, true],
    ['DestinationPort|gte: 1024', 'connect', { ...ip, 'destination.port': 443 }, false],
    [
      'DestinationHostname|endswith: .example.org',
      'packet',
      { 'network.protocol': 'dns', 'network.direction': 'egress', 'dns.question.name': 'a.example.org' },
      true,
    ],
    [
      'DestinationHostname: a.example.org',
      'packet',
      { 'network.protocol': 'tls', 'network.direction': 'egress', 'tls.client.server_name': 'A.example.org' },
      true,
    ],
    [
      'DestinationHostname: a.example.org',
      'packet',
      { 'network.protocol': 'dns', 'network.direction': 'ingress', 'dns.question.name': 'a.example.org' },
      false,
    ],
  ];
  for (const [selection, kind, values, wanted] of cases)
    assert.equal(fires(selection, kind, values), wanted, `${selection} ${kind}`);
});
