import { CORPUS } from './corpus.ts';
import { type AlertCount, readSummary } from './summary.ts';

/** Returns docs/NOISE.md: the last measurement, and the jobs that ran. */
export function noiseDocs(): string {
  const { measured, kernel, recordings, events, minutes, high, alerts, rules } = readSummary();
  const count = (profile: string): number =>
    alerts.filter((alert) => alert.profile === profile).reduce((sum, { times }) => sum + times, 0);
  const places = Map.groupBy(CORPUS, ({ title }) => title);
  return `# Noise

False positives of the built-in rules on healthy machines. A test compares the figures with the
targets: at least one hour and 1,000,000 events, and no recommended alert of high severity.

This page is generated: \`npm run noise -- FILE… --write\` judges recordings and writes
\`packages/rule-corpus/noise.json\`, and \`npm run docs\` writes this page.

| | |
| --- | --- |
| measured | ${measured}, kernel ${kernel}, ${Object.keys(rules).length} rules |
| played | ${minutes.toFixed(1)} minutes in ${recordings} recordings, under a sensor that filters nothing |
| events | ${events.toLocaleString('en')} |
| alerts, recommended and of high severity (error or worse) | ${high} |
| alerts, recommended, all severities | ${count('recommended')} |
| additional alerts with the profile \`hunt\` | ${count('hunt')} |

## Alerts by rule

| alerts | per hour | severity | profile | rule |
| ---: | ---: | --- | --- | --- |
${alerts.map((alert) => row(alert, minutes)).join('\n')}

## Jobs

| job | stands for | where |
| --- | --- | --- |
${[...places].map(([title, jobs]) => `| ${title} | ${jobs[0]?.description} | ${jobs.map(({ image }) => image ?? 'the host').join(', ')} |`).join('\n')}
`;
}

function row({ rule, priority, profile, times }: AlertCount, minutes: number): string {
  return `| ${times} | ${((times * 60) / minutes).toFixed(1)} | ${priority} | ${profile} | ${rule} |`;
}
