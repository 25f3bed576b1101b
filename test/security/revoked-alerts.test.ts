/*
 * The alerts of a revoked detector that went on go to the dead letters. The commands that `ringfence revoke` prints
 * judge the reports of that time again.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { startDetector } from '@ringfence/detector';
import { kafkaMissing } from '@ringfence/dev-servers';
import { Enrolments, type Identity, identityPaths } from '@ringfence/identity';
import { type Alert, decode, SchemaError, TOPIC } from '@ringfence/wire';
import { SmallFleet } from '../e2e/lib/fleet.ts';
import { Installation } from '../e2e/lib/program.ts';
import { until } from '../e2e/lib/wait.ts';

const TIMEOUT_MS = 120_000;

/**
 * Runs a detector that signs with the key of `revoked` and does not notice its revocation. The brokers let it go on, as
 * those do that know services by passwords: it has the access of the member in `accessPath`.
 */
async function startUnawareDetector(
  fleet: SmallFleet,
  revoked: Identity,
  accessPath: string,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { authority: ca, certificate: cert, key } = identityPaths(accessPath);
  const stateKey = revoked.stateKeys.get('detector') ?? assert.fail('a detector has a key for its state');
  const options = { brokers: fleet.kafka.bootstrap, tls: { ca, cert, key }, clientId: revoked.subject };
  const bus = stack.use(await openKafkaBus({ ...options, stateKey: () => stateKey }));
  const enrolments = stack.use(await Enrolments.open({ bus, root: revoked.root }));
  const detector = await startDetector({
    bus,
    rulePaths: [join(fleet.directory, 'rules')],
    key: revoked.signingKey,
    trusted: (role) => enrolments.trustedKeys(role),
    options: { keyGraceMs: 3000 },
  });
  stack.defer(() => detector.close());
  return stack.move();
}

/** Returns the alerts among the dead letters whose output contains `mark`, by the stage that refused them. */
async function refusedAlerts(fleet: SmallFleet, mark: string): Promise<ReadonlyMap<string, Alert>> {
  const found = new Map<string, Alert>();
  for await (const { value } of fleet.bus.read({ topic: TOPIC.dlq })) {
    try {
      const { stage, topic, original } = decode('DeadLetter', value ?? Buffer.alloc(0));
      const alert = topic === TOPIC.alerts ? decode('Alert', original) : null;
      if (alert?.output.includes(mark)) found.set(stage, alert);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
    }
  }
  return found;
}

/** Returns the arguments of the commands that an operator is told to run, with the file at `path`. */
function printedCommands(text: string, path: string): Record<'record' | 'replay', string[]> {
  const argsOf = (name: string): string[] => {
    const line = text.split('\n').find((candidate) => candidate.trim().startsWith(`ringfence ${name} `));
    assert.ok(line !== undefined, `no command ${name} in:\n${text}`);
    return line
      .trim()
      .split(' ')
      .slice(1)
      .map((word) => (word === 'revoked.rec' ? path : word));
  };
  return { record: argsOf('record'), replay: argsOf('replay') };
}

describe('alerts of a detector that was revoked and went on', { skip: kafkaMissing() }, () => {
  test('go to the dead letters; the commands that revoke prints raise them again from the reports of the hosts', async (t) => {
    await using fleet = await SmallFleet.start();
    await fleet.join('auditor', 'enricher', 'responder');
    const revoked = await fleet.enrol('detector-1', 'detector', join(fleet.directory, 'revoked'));
    const accessPath = join(fleet.directory, 'access');
    await fleet.enrol('other', 'detector', accessPath);
    const thief = await fleet.agent();
    thief.startReported('rfbystander before the theft');
    await thief.send();

    await using cli = new Installation();
    const run = (member: string, args: readonly string[]): Promise<string> =>
      cli.output([...args, '--config', fleet.member(member).configFile], { bare: true });
    const printed = await run('registrar', ['revoke', 'detector-1', '--now', '--reason', 'its keys were stolen']);
    await using _ = await startUnawareDetector(fleet, revoked, accessPath);
    const agent = await fleet.agent();
    agent.startReported('rfbystander while revoked');
    await agent.send();
    const refused = await until(
      'the refused alert in the dead letters',
      async () => {
        const alerts = await refusedAlerts(fleet, 'rfbystander while revoked');
        return alerts.size > 0 && alerts;
      },
      TIMEOUT_MS,
    );
    await t.test('the responder has refused the alert', () => {
      assert.deepEqual([...refused.keys()], ['responder']);
    });
    await fleet.revoke(thief.hostId);
    thief.startReported('rfbystander after the theft');
    await thief.send();
    await until('the refused batch', async () =>
      (await fleet.deadLetters()).some((letter) => letter.startsWith('enricher ')),
    );

    await fleet.join('detector');
    const commands = printedCommands(printed, join(fleet.directory, 'revoked.rec'));
    await t.test('only an enricher can record', async () => {
      const args = [...commands.record, '--config', fleet.member('detector').configFile];
      const { code, stderr } = await cli.run(args, { bare: true });
      assert.equal(code, 1);
      assert.match(stderr, /run the command where an enricher runs/);
    });
    await run('enricher', commands.record);
    const replayed = await run('detector', commands.replay);
    await t.test('the alert is there again, under the same id', async () => {
      assert.match(replayed, /rfbystander while revoked/);
      const lines = (await run('detector', [...commands.replay, '--json'])).trim().split('\n');
      const ids = lines.map((line) => JSON.parse(line)).filter(({ record }) => record === 'alert');
      for (const { id } of refused.values()) assert.ok(ids.some((alert) => alert.id === id));
    });
    await t.test('and so is one of a host that was revoked later, but none of after that', () => {
      assert.match(replayed, /rfbystander before the theft/);
      assert.doesNotMatch(replayed, /rfbystander after the theft/);
    });
  });
});
