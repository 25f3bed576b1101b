import { jsonValue, paintFor } from '@ringfence/base';
import { replay } from '@ringfence/runtime/replay';
import { openRecording } from '@ringfence/schema';
import { createLogger } from '@ringfence/telemetry';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { renderIncident } from '../incident/view.ts';
import { alertLine } from '../lists/alert-view.ts';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { counted } from '../shared/counted.ts';

export function addReplay(program: Command): void {
  const command = program
    .command('replay')
    .argument('<file>', 'a recording made by ringfence record')
    .description(DESCRIPTIONS.replay)
    .option('--json', 'one JSON object a line: every alert, incident, command and result, as its field "record" says')
    .addHelpText(
      'after',
      '\nNothing is killed: the responder only says what it would have done.\n\nExamples:\n  ringfence replay attack.rec\n  ringfence replay attack.rec --set detector.rules=$PWD/my-rules --json | jq .rule',
    );
  withSettings(command).action(async (path: string, _, self: Command) => {
    const json = self.opts<{ json?: boolean }>().json === true;
    const paint = paintFor(process.stdout);
    const config = settingsOf(self);
    await using recording = await openRecording(path);
    const result = await replay(recording, config, createLogger({ ...config.log, level: 'warn' }), (records) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${records} batches played\u001b[K`);
    });
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    if (json) return printResult(result);
    for (const alert of result.alerts) print(alertLine(paint, alert));
    for (const incident of result.incidents.filter(({ state }) => state !== 'merged')) {
      const causes = new Set([incident.id, ...incident.alerts.map(({ id }) => id)]);
      const commands = result.commands.filter(({ cause }) => causes.has(cause));
      print(`\n${renderIncident(paint, { incident, alerts: [], commands, results: result.results })}`);
    }
    print(
      paint.dim(
        `\n${counted(result.batches, 'batch', 'batches')}, ${counted(result.events, 'event')}, ${counted(result.alerts.length, 'alert')}, ${counted(result.incidents.length, 'incident')}`,
      ),
    );
  });
}

/** `record` says what a line is. The key of a replay lives as long as it: what it signed would differ each time, and means nothing. */
function printResult(result: Awaited<ReturnType<typeof replay>>): void {
  const commands = result.commands.map(({ keyId: _, signature: __, ...command }) => command);
  const records = { alert: result.alerts, incident: result.incidents, command: commands, result: result.results };
  for (const [record, items] of Object.entries(records))
    for (const item of items) printJson({ record, ...(jsonValue(item) as object) });
}
