/**
 * Plays a recording as `ringfence replay` does, and prints how long the replay took, without the program's start.
 *
 *   replay-child.ts RECORDING [PROFILE]
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { loadConfig } from '@ringfence/config';
import { type ReplayResult, replay } from '@ringfence/runtime/replay';
import { createLogger } from '@ringfence/telemetry';
import { openRecording } from '@ringfence/wire';

const [path = '', profile] = process.argv.slice(2);
const config = loadConfig();
await using recording = await openRecording(path);
const log = createLogger({ ...config.log, level: 'warn' });
const begin = performance.now();
const cpu = process.cpuUsage();
const { events, alerts } = await profiled(profile, () => replay(recording, config, log, () => {}));
const seconds = (performance.now() - begin) / 1000;
const { user, system } = process.cpuUsage(cpu);
const cpuSeconds = (user + system) / 1e6;
process.stdout.write(`${JSON.stringify({ events, alerts: alerts.length, seconds, cpuSeconds })}\n`);

async function profiled(file: string | undefined, run: () => Promise<ReplayResult>): Promise<ReplayResult> {
  if (file === undefined) return run();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  const result = await run();
  const { profile } = await session.post('Profiler.stop');
  writeFileSync(file, JSON.stringify(profile));
  session.disconnect();
  return result;
}
