/**
 * Breaks the far sides of sinks, for a minute each, and prints what arrived:
 * `node --conditions=@ringfence/source services/forwarder/bench/chaos.ts [SECONDS [NAME]]`.
 */
import { CHAOS } from '../test/chaos.ts';

const [seconds = '60', only = ''] = process.argv.slice(2);
const row = (...cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);

row('far side', 'produced', 'arrived', 'lost', 'doubled', 'attempts that failed');
row('---', '---', '---', '---', '---', '---');
for (const { name, missing, play } of CHAOS.filter((chaos) => chaos.name.includes(only))) {
  const reason = missing();
  if (reason !== undefined) {
    console.error(`${name}: skipped: ${reason}`);
    continue;
  }
  const { produced, distinct, doubles, retries } = await play(Number(seconds));
  const format = (count: number): string => count.toLocaleString('en');
  row(name, format(produced), format(distinct), format(produced - distinct), format(doubles), format(retries));
  if (distinct !== produced) process.exitCode = 1;
}
