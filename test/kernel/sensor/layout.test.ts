import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { sensorObject, skip } from './sensor.ts';

test('the committed readers fit the records of the sensor as it was built', { skip }, async () => {
  const generator = join(import.meta.dirname, '../../../tools/generate-records.ts');
  execFileSync(process.execPath, [...process.execArgv, generator, await sensorObject(), '--check'], {
    encoding: 'utf8',
  });
});
