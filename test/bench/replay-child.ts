/** Plays a recording as `ringfence replay` does, and prints how long that took without the start of the program. */
import { loadConfig } from '@ringfence/config';
import { createLogger } from '@ringfence/telemetry';
import { replay } from '../../cli/src/app/replay.ts';
import { openRecording } from '../../cli/src/recording.ts';

const config = loadConfig({ file: undefined, flags: [] });
await using recording = await openRecording(process.argv[2] ?? '');
const begin = performance.now();
const { events, alerts } = await replay(recording, config, createLogger({ ...config.log, level: 'warn' }), () => {});
const seconds = (performance.now() - begin) / 1000;
process.stdout.write(`${JSON.stringify({ events, alerts: alerts.length, seconds })}\n`);
