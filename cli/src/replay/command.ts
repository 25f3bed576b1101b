import { jsonValue, paintFor } from '@ringfence/base';
import { replay } from '@ringfence/runtime/replay';
import { createLogger } from '@ringfence/telemetry';
import { openRecording } from '@ringfence/wire';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { renderIncident } from '../incident/view.ts';
import { alertLine } from '../lists/view.ts';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { counted } from '../shared/numbers.ts';

export function addReplay(program: Command): void {
  const command = program
    .command('replay')
    .argument('<file>', 'recording made by ringfence record')
    .description(DESCRIPTIONS.replay)
    .option('--json', 'print one JSON object per line; its field "record" is alert, incident, command or result')
    .addHelpText(
      'after',
      `
The responder kills nothing: it only reports what it would do.

Examples:
  ringfence replay attack.rec
  ringfence replay attack.rec --set detector.rules=$PWD/my-rules --json | jq .rule`,
    );
  withSettings(command).action(async (path: string, _, self: Command) => {
    const json = self.opts<{ json?: boolean }>().json === true;
    const paint = paintFor(process.stdout);
    const config = settingsOf(self);
    await using recording = await openRecording(path);
    const result = await replay(recording, config, createLogger({ ...config.log, level: 'warn' }), (records) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${records} batches replayed\u001b[K`);
    });
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    if (json) return printResult(result);
    for (const alert of result.alerts) print(alertLine(paint, alert));
    for (const incident of result.incidents.filter(({ state }) => state !== 'merged')) {
      const causes = new Set([incident.id, ...incident.alerts.map(({ id }) => id)]);
      const commands = result.commands.filter(({ cause }) => causes.has(cause));
      print(`\n${renderIncident(paint, { incident, alerts: [], commands, results: result.results })}`);
    }
    const totals = [
      counted(result.batches, 'batch', 'batches'),
      counted(result.events, 'event'),
      counted(result.alerts.length, 'alert'),
      counted(result.incidents.length, 'incident'),
    ];
    print(paint.dim(`\n${totals.join(', ')}`));
  });
}

/**
 * Prints each record on a line, with its type in `record`. Signatures are left out: each replay has a key of its own,
 * so they would differ every time.
 */
function printResult(result: Awaited<ReturnType<typeof replay>>): void {
  const commands = result.commands.map(({ keyId: _, signature: __, ...command }) => command);
  const records = { alert: result.alerts, incident: result.incidents, command: commands, result: result.results };
  for (const [record, items] of Object.entries(records))
    for (const item of items) printJson({ record, ...(jsonValue(item) as object) });
}
