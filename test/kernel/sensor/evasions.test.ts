/** Outcomes of the table of evasions in bpf/README.md that no test of an event covers. */
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { identifyFiles } from '@ringfence/sensor/parts';
import {
  recordOf,
  recordsOf,
  Scratch,
  type SensorRecord,
  skip,
  skipUserNamespaces,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { isLoaded, namespaces } from './expect.ts';

const O_PATH = 0o10000000;
const CLONE_NEWUSER = 0x1000_0000n;
/** Bytes of an environment that are searched. */
const SEARCHED = 32_768;

describe('evasions of the sensor', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let evade: string;
  before(async () => {
    scratch = new Scratch();
    evade = scratch.compile('evade');
    sensor = await TestSensor.start();
  });
  beforeEach(() => sensor.control({}));
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const textOf = (record: SensorRecord | undefined, name: string): string =>
    record?.texts[name]?.bytes.toString('latin1') ?? '';

  test('a variable behind 32 KiB of an environment is not reported', async () => {
    const preload = { LD_PRELOAD: '/nonexistent.so' };
    const environmentOf = async (env: Record<string, string>): Promise<string> =>
      textOf(recordOf(await sensor.run(evade, [], { env }), 'rf_exec'), 'environment');
    assert.equal(await environmentOf({ PAD: 'x'.repeat(SEARCHED - 4096), ...preload }), 'LD_PRELOAD=/nonexistent.so');
    assert.equal(await environmentOf({ PAD: 'x'.repeat(SEARCHED + 4096), ...preload }), '');
  });

  test('a descriptor that is passed over a socket is seen when it is opened, and received where a hook exists', async () => {
    const directory = join(scratch.path, 'passed');
    mkdirSync(directory);
    const path = join(directory, 'secret');
    writeFileSync(path, 'x');
    const descriptor = openSync(path, O_PATH);
    const keys = identifyFiles(sensor.object.program('identify_files')).get(descriptor) ?? [];
    closeSync(descriptor);
    sensor.filter.files.set(new Map([[path, { reads: true, keys }]]));
    const records = await sensor.run(evade, ['descriptor', path]);
    sensor.filter.files.set(new Map());
    const opens = recordsOf(records, 'rf_open').filter((record) => textOf(record, 'path') === path);
    const sender = records[0]?.header.tgid;
    assert.deepEqual(
      opens.map(({ header, fields }) => [header.tgid === sender ? 'sender' : 'receiver', fields['received']]),
      isLoaded(sensor, 'file_receive')
        ? [
            ['sender', 0],
            ['receiver', 1],
          ]
        : [['sender', 0]],
    );
  });

  test('a script that an interpreter is given by name is in the arguments', async () => {
    const script = join(scratch.path, 'script.sh');
    writeFileSync(script, 'rm "$0"\n');
    const [shell] = recordsOf(await sensor.run('sh', [script]), 'rf_exec');
    assert.equal(textOf(shell, 'argv'), `sh\0${script}`);
    assert.equal(textOf(shell, 'script'), '', 'only an interpreter line names a script to the kernel');
  });

  test('a child in a new user namespace is reported with that namespace', { skip: skipUserNamespaces }, async () => {
    const records = await sensor.run(evade, ['user-namespace']);
    const forks = recordsOf(records, 'rf_fork').filter(({ fields }) => fields['flags'] === CLONE_NEWUSER);
    const { user } = recordOf(forks, 'rf_fork').fields['namespaces'] as { user: number };
    assert.notEqual(user, namespaces()['user']);
    assert.deepEqual(recordsOf(records, 'rf_credentials_change'), [], 'no call of the credentials took place');
  });
});
