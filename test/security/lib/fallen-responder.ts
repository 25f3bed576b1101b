/**
 * A responder in the hands of an attacker. Its argument is a FallenResponder as JSON. It serves agents with the view of
 * the fleet that it had when it fell, so it never learns that it was revoked. It prints its port. Each line of its
 * standard input is a KillOrder as JSON; it prints the agent's answer, or the reason why there is none.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { messageOf, silentLog } from '@ringfence/base';
import { serveControl } from '@ringfence/control';
import { Enrolments, FleetStanding, identityPaths, loadIdentity, watchCertificates } from '@ringfence/identity';
import { decode } from '@ringfence/wire';
import { type KillOrder, killCommand } from './kill-command.ts';

export interface FallenResponder {
  readonly identity: string;
  /** File of the enrolments, as JSON: key and base64 */
  readonly enrolments: string;
  /** File of the last standing that it received; empty: it sends none */
  readonly standing: string;
}

const options = JSON.parse(process.argv[2] ?? '') as FallenResponder;
const identity = loadIdentity(options.identity);
if (identity === null) throw new Error('the responder is not enrolled');
const records = JSON.parse(readFileSync(options.enrolments, 'utf8')) as [key: string, value: string][];
const frozenLog = {
  async *read({ follow = false }: { readonly follow?: boolean }) {
    for (const [key, value] of records) yield { key, value: Buffer.from(value, 'base64') };
    if (follow) await new Promise(() => {});
  },
};
const enrolments = await Enrolments.open({ bus: frozenLog, root: identity.root });
const standing = new FleetStanding(identity.root);
if (options.standing !== '') standing.add(readFileSync(options.standing));
const server = await serveControl({
  port: 0,
  tls: watchCertificates(identityPaths(options.identity)),
  enrolments: {
    isInForce: () => true,
    withRole: (role) => enrolments.withRole(role),
    onChange: (listener) => enrolments.onChange(listener),
  },
  standing,
  onResult: async () => {},
  log: silentLog,
  heartbeatMs: 500,
});
console.log(server.port);
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as KillOrder;
  try {
    const signal = AbortSignal.timeout(10_000);
    const result = decode(
      'Result',
      await server.execute(order.hostId, killCommand(order, identity.signingKey), signal),
    );
    server.acknowledge(order.hostId, result.id);
    console.log(`${result.outcome} ${result.reason}`.trim());
  } catch (error) {
    console.log(`no answer: ${messageOf(error)}`);
  }
}
process.exit(0);
