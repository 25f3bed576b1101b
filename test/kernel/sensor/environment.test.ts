import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { recordOf, Scratch, skip, TestSensor } from '@ringfence/testkit/sensor';

/** Bytes that an exec keeps of its variables; those that no rule names share the first half. */
const KEPT = 8192;
const UNNAMED = KEPT / 2;

describe('environment variables that rules ask for', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('terminate');
    sensor = await TestSensor.start();
    sensor.watchVariable('HTTPS_PROXY');
    sensor.watchVariable('A_NAME_THAT_IS_LONGER_THAN_TWENTY_FOUR_BYTES');
  });
  beforeEach(() => sensor.control({ variables_named: 1 }));
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  async function seen(env: Readonly<Record<string, string>>): Promise<string[]> {
    const exec = recordOf(await sensor.run(program, ['code', '0'], { env }), 'rf_exec');
    return String(exec.texts['environment']?.bytes).split('\0');
  }

  test('a variable that a rule names is sent beside the usual ones, and no other leaves the host', async () => {
    const secrets = { AWS_SECRET_ACCESS_KEY: 'x', HTTPS_PROX: 'x', HTTPS_PROXY_: 'x', XHTTPS_PROXY: 'x' };
    const asked = { HTTPS_PROXY: 'http://10.0.0.1', A_NAME_THAT_IS_LONGER_THAN_TWENTY_FOUR_BYTES: '1' };
    assert.deepEqual(await seen({ ...secrets, ...asked, LD_PRELOAD: 'a.so' }), [
      'HTTPS_PROXY=http://10.0.0.1',
      'A_NAME_THAT_IS_LONGER_THAN_TWENTY_FOUR_BYTES=1',
      'LD_PRELOAD=a.so',
    ]);
    sensor.control({});
    assert.deepEqual(await seen({ ...asked, LD_PRELOAD: 'a.so' }), ['LD_PRELOAD=a.so']);
  });

  test('every variable is sent if a rule asks for all', async () => {
    sensor.control({ all_variables: 1 });
    assert.deepEqual(await seen({ A: '1', TOKEN: 'secret', B: '' }), ['A=1', 'TOKEN=secret', 'B=']);
  });

  test('variables that no rule names push out none that is named', async () => {
    sensor.control({ all_variables: 1, variables_named: 1 });
    const padding = Object.fromEntries(Array.from({ length: 300 }, (_, number) => [`PAD${number}`, 'x'.repeat(90)]));
    const many = await seen({ ...padding, HTTPS_PROXY: 'proxy', LD_PRELOAD: 'a.so' });
    assert.deepEqual(many.slice(-2), ['HTTPS_PROXY=proxy', 'LD_PRELOAD=a.so']);
    const [long, ...rest] = await seen({ PAD: 'x'.repeat(30_000), HTTPS_PROXY: 'proxy', LD_PRELOAD: 'a.so' });
    assert.equal(long?.length, UNNAMED - 1);
    assert.deepEqual(rest, ['HTTPS_PROXY=proxy', 'LD_PRELOAD=a.so']);
  });
});
