/** Evidence of a fleet: what operators did is in the trail, and an exported incident leads to the root key. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { kafkaMissing } from '@ringfence/dev-servers';
import { loadIdentity } from '@ringfence/identity';
import { createTestAlert, createTestIncident } from '@ringfence/synthetic';
import { encode, fingerprintOf, TOPIC } from '@ringfence/wire';
import { SmallFleet } from '../e2e/lib/fleet.ts';
import { Installation } from '../e2e/lib/program.ts';
import { until } from '../e2e/lib/wait.ts';

describe('the evidence of a fleet', { skip: kafkaMissing() }, () => {
  test('has the actions on the registrar and on the auditor, signed, and an export that leads to the root key', async () => {
    await using fleet = await SmallFleet.start();
    await fleet.join('auditor');
    await fleet.enrol('detector-1', 'detector', join(fleet.directory, 'revoked'));
    await using cli = new Installation();
    const run = (member: string, args: readonly string[]): Promise<string> =>
      cli.output([...args, '--config', fleet.member(member).configFile], { bare: true });
    await run('registrar', ['revoke', 'detector-1', '--now', '--reason', 'its keys were stolen']);
    const alert = createTestAlert(1);
    const incident = createTestIncident([alert], 1);
    await fleet.bus.produce([
      { topic: TOPIC.alerts, key: 'h', value: encode('Alert', alert) },
      { topic: TOPIC.incidents, key: 'h', value: encode('Incident', incident) },
    ]);
    await until('the incident', async () => (await run('auditor', ['incidents'])).includes(incident.id));

    const listed = await until('the revocation in the trail', async () => {
      const text = await run('auditor', ['audit', 'list', '--kind', 'operator']);
      return text.includes('service.revoke') && text;
    });
    assert.match(listed, /service\.revoke detector-1 now=1: its keys were stolen/);
    assert.match(listed, /token\.create detector-1/);
    assert.match(listed, /settings\.start registrar/);
    using audit = fleet.audit();
    const actions = await Array.fromAsync(audit.operatorActions());
    assert.ok(actions.every(({ keyId }) => keyId !== ''));

    const out = join(fleet.directory, 'inc.zip');
    await run('auditor', ['incident', 'export', incident.id, '--out', out]);
    const identity = loadIdentity(join(fleet.member('auditor').directory, 'state/identity'));
    const root = fingerprintOf(identity?.root ?? assert.fail('the auditor is enrolled'));
    const verified = await cli.output(['audit', 'verify', '--bundle', out, '--root', root], { bare: true });
    assert.match(verified, /signed by auditor/);
    assert.match(verified, /chain ringfence\.alerts\/\d+ alert: 1 record, linked up to a head that an auditor signed/);
    assert.match(verified, /the bundle is intact/);
  });
});
