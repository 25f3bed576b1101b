import { NAMED_FLAGS } from './flags.ts';
import { settingsSchema } from './schema.ts';
import { environmentName, type Leaf, walk } from './walk.ts';

const INTRODUCTION = `# Settings

<!-- Generated from packages/config/src/schema.ts by \`npm run docs\`; edit it there. -->

Every setting has a default, so Ringfence runs without a settings file. The first of these sources
that sets a value wins:

1. Flags: \`--set sensor.pollInterval=10ms\`, and the named flags below. \`--help\` of a command lists
   the flags that it accepts.
2. The environment: \`RINGFENCE_SENSOR_POLL_INTERVAL=10ms\`. Lists are separated by commas.
3. One YAML file: \`--config FILE\`, else \`RINGFENCE_CONFIG\`, else
   \`/etc/ringfence/ringfence.yaml\` (as root) or \`$XDG_CONFIG_HOME/ringfence/ringfence.yaml\`, if it
   exists.
4. The default.

Durations need a unit (\`500ms\`, \`10s\`, \`5m\`, \`2h\`, \`3d\`), and so do sizes (\`512KiB\`, \`64MiB\`,
\`4GiB\`). An unknown key or a wrong unit prevents the start. The error contains the file, the line,
the column, the expected value and a suggestion. \`ringfence config show\` prints the settings in
effect and the source of each value, with secrets masked.
`;

/** Escapes bars, which would end the table cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function row({ key, info }: Leaf): string {
  const fallback = info.default === '' ? '' : `\`${info.default}\``;
  return `| \`${key}\` | ${cell(info.type)} | ${cell(fallback)} | ${cell(info.doc)}<br>\`${environmentName(key)}\` |`;
}

const HEAD = '| setting | type | default | description and environment variable |\n|---|---|---|---|';

/** Returns the content of docs/CONFIGURATION.md. */
export function configDocs(): string {
  const parts = [INTRODUCTION, '## Flags\n', '| flag | setting | |\n|---|---|---|'];
  for (const { flag, value, key, doc } of NAMED_FLAGS)
    parts.push(`| \`${flag} <${value}>\` | \`${key}\` | ${cell(doc)} |`);
  parts.push('\n## General\n', HEAD);
  // The documents show what default paths depend on, so these values never appear.
  for (const node of walk(settingsSchema({ stateDir: '/', runDir: '/' }))) {
    if ('info' in node) parts.push(row(node));
    else if (node.key.includes('.')) parts.push(`| \`${node.key}.…\` | | | ${cell(node.doc)} |`);
    else parts.push(`\n## ${node.key}\n\n${node.doc}\n\n${HEAD}`);
  }
  return `${parts.join('\n')}\n`;
}
