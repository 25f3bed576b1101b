import { NAMED_FLAGS } from './flags.ts';
import { settingsSchema } from './schema.ts';
import { environmentName, type Leaf, walk } from './walk.ts';

const INTRODUCTION = `# Settings

<!-- Generated from packages/config/src/schema.ts by \`npm run docs\`; edit it there. -->

Every setting has a default, so Ringfence runs without a file. The first of these places that has a
setting wins:

1. flags: \`--set sensor.pollInterval=10ms\`, and flags of their own (below) on commands where they
   have an effect, as \`--help\` of each command shows;
2. the environment: \`RINGFENCE_SENSOR_POLL_INTERVAL=10ms\`; lists are separated by commas;
3. one YAML file: \`--config FILE\`, else \`RINGFENCE_CONFIG\`, else \`/etc/ringfence/ringfence.yaml\`
   (as root) or \`$XDG_CONFIG_HOME/ringfence/ringfence.yaml\`, if it exists;
4. the default.

Durations are written with a unit (\`500ms\`, \`10s\`, \`5m\`, \`2h\`, \`3d\`), and so are sizes (\`512KiB\`,
\`64MiB\`, \`4GiB\`). An unknown key or a wrong unit stops the start with the file, line and column,
the expectation and a suggestion. \`ringfence config show\` prints the settings in force and where
each value came from, with secrets masked.
`;

/** Bars inside a table cell would end it. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function row({ key, info }: Leaf): string {
  const fallback = info.default === '' ? '' : `\`${info.default}\``;
  return `| \`${key}\` | ${cell(info.type)} | ${cell(fallback)} | ${cell(info.doc)}<br>\`${environmentName(key)}\` |`;
}

const HEAD = '| setting | type | default | what it does; its environment variable |\n|---|---|---|---|';

/** The whole of docs/CONFIGURATION.md. */
export function configDocs(): string {
  const parts = [INTRODUCTION, '## Flags\n', '| flag | setting | |\n|---|---|---|'];
  for (const { flag, value, key, doc } of NAMED_FLAGS)
    parts.push(`| \`${flag} <${value}>\` | \`${key}\` | ${cell(doc)} |`);
  parts.push('\n## General\n', HEAD);
  // Default paths are shown by what they depend on, so the ones given here never appear.
  for (const node of walk(settingsSchema({ stateDir: '/', runDir: '/' }))) {
    if ('info' in node) parts.push(row(node));
    else if (node.key.includes('.')) parts.push(`| \`${node.key}.…\` | | | ${cell(node.doc)} |`);
    else parts.push(`\n## ${node.key}\n\n${node.doc}\n\n${HEAD}`);
  }
  return `${parts.join('\n')}\n`;
}
