import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { kernelSkip, TestPlace } from '@ringfence/testkit/agent';
import { buildSensor } from '../src/build/build-sensor.ts';
import { loadObject } from '../src/load/load-object.ts';

/** Writes a copy of the sensor in which a section is renamed. Both names must have the same length. */
async function withSection(path: string, name: string, newName: string): Promise<string> {
  const bytes = readFileSync(await buildSensor());
  assert.ok(bytes.includes(`${name}\0`));
  for (let at = bytes.indexOf(`${name}\0`); at !== -1; at = bytes.indexOf(`${name}\0`)) bytes.write(newName, at);
  writeFileSync(path, bytes);
  return path;
}

describe("the sensor's object", { skip: kernelSkip() }, () => {
  it('is not loaded without the iterator over the running processes; the error says why it was rejected', async () => {
    using place = new TestPlace();
    const path = await withSection(join(place.directory, 'sensor.o'), 'iter.s/task', 'iter.s/none');
    const rings = { ringSecurityBytes: 1 << 20, ringBulkBytes: 1 << 20 };
    const load = {
      path,
      pinPath: place.pinPath,
      ...rings,
      programs: false,
      tracesFunctions: false,
      probes: new Set<string>(),
    };
    assert.throws(() => loadObject(load), { name: 'SensorError', message: /can't be loaded: .*'snapshot'/ });
  });
});
