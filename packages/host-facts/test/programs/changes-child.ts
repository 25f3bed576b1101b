/**
 * `SOURCE COMMAND…`: runs in new namespaces. Prints the facts that the source emits at the start and on a tick after
 * each command.
 */
import { execSync } from 'node:child_process';
import type { ContextSink } from '@ringfence/host-kit';
import { hostSource } from '../../src/host/host.ts';
import { mountsSource } from '../../src/host/mounts.ts';

const [name, ...commands] = process.argv.slice(2);
execSync(
  'ip link add ringfence0 type veth peer name ringfence1 && ip link set ringfence0 up && ip link set ringfence1 up',
);
const facts: unknown[] = [];
const sink = {
  host: (fact: unknown) => facts.push(fact),
  mount: (mount: { point: Buffer; source: Buffer }) =>
    facts.push({ ...mount, point: mount.point.toString(), source: mount.source.toString() }),
} as unknown as ContextSink;
const source = name === 'host' ? hostSource() : mountsSource();
source.start(sink);
for (const command of commands) {
  execSync(command);
  source.tick();
}
source.close();
process.stdout.write(JSON.stringify(facts));
