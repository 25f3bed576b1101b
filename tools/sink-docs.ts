/** Generates docs/SINKS.md from the kinds of sinks: their settings with their comments, and their pages. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { durationText } from '@ringfence/base';
import { KINDS } from '@ringfence/forwarder';
import { commonShape, tlsShape } from '@ringfence/forwarder/settings';
import type { z } from 'zod';

const FORWARDER = join(dirname(import.meta.dirname), 'services/forwarder/src');

/** A setting with its comment above it, two spaces from the margin. */
const SETTING = /^ {2}\/\*\*\s*((?:(?!\*\/)[\s\S])*?)\s*\*\/\n {2}([a-zA-Z]+)[:,]/gm;

/** Returns the comments of the settings in a source, by setting. */
function commentsIn(source: string): Map<string, string> {
  const text = (comment: string): string => comment.replaceAll(/\s*\n\s*\*\s?/g, ' ').trim();
  return new Map([...source.matchAll(SETTING)].map(([, comment = '', key = '']) => [key, text(comment)]));
}

/** Throws an Error for a setting without a comment. */
function table(shape: z.ZodRawShape, source: string, place: string): string {
  const comments = commentsIn(source);
  const rows = Object.entries(shape).map(([key, schema]) => {
    const comment = comments.get(key);
    if (comment === undefined)
      throw new Error(`${place}: the setting ${key} has no comment: write /** What it does. */`);
    return `| \`${key}\` | ${comment} | ${defaultOf(schema as z.ZodType)} |`;
  });
  return ['| setting | meaning | default |', '| --- | --- | --- |', ...rows].join('\n');
}

/** Returns what a setting is when it is left out: its default, nothing, or an error. */
function defaultOf(schema: z.ZodType): string {
  const absent = schema.safeParse(undefined);
  if (!absent.success) return 'required';
  const { data } = absent;
  if (data === undefined) return '–';
  const isDuration = typeof data === 'number' && schema.safeParse('30s').success;
  return `\`${isDuration ? durationText(data * 1000) : JSON.stringify(data)}\``;
}

/** Returns a page as part of the document: without its title, with its headings one level lower. */
const inlined = (text: string): string =>
  text
    .replace(/^# .*\n+/, '')
    .replaceAll(/^(#+ )/gm, '#$1')
    .replaceAll('../../../../../docs/', '')
    .trim();

function page({ type, title, sends, incidents, proof, shape, defaults = {} }: (typeof KINDS)[number]): string {
  const folder = join(FORWARDER, 'kinds', type);
  const own = Object.fromEntries(Object.entries(shape).filter(([key]) => !(key in tlsShape)));
  const sources = [
    join(folder, 'index.ts'),
    join(FORWARDER, 'encode/ticket.ts'),
    join(FORWARDER, 'http/credentials.ts'),
  ];
  const source = sources.map((path) => readFileSync(path, 'utf8')).join('\n');
  const settings = table(own, source, `kinds/${type}/index.ts`);
  const tls =
    'ca' in shape ? '\n\nTLS: `ca`, `cert` and `key` are PEM files; without `ca` the CAs of the system are used.' : '';
  const more = existsSync(join(folder, 'README.md'))
    ? `\n\n${inlined(readFileSync(join(folder, 'README.md'), 'utf8'))}`
    : '';
  const updates =
    incidents === 'newest' ? 'Versions of an incident update one ticket.' : 'Each version of an incident is sent.';
  const others = Object.entries(defaults)
    .map(([key, value]) => ` Its default of \`${key}\` is ${value}.`)
    .join('');
  const facts = `Sends ${sends.join(', ')} unless \`send\` says otherwise. ${updates} Tested against ${proof}.${others}`;
  return `## ${type}\n\n${title}.\n\n${facts}\n\n${settings}${tls}${more}`;
}

/** Returns the document. */
export function sinkDocs(): string {
  const intro = readFileSync(join(FORWARDER, '../SINKS.md'), 'utf8').trim().replaceAll('../../docs/', '');
  const common = readFileSync(join(FORWARDER, 'settings/common.ts'), 'utf8');
  const list = KINDS.map(({ type, title }) => `| [${type}](#${type}) | ${title} |`).join('\n');
  return `${intro.replace('KINDS', `| kind | what it is |\n| --- | --- |\n${list}`).replace('SETTINGS', table(commonShape, common, 'settings/common.ts'))}

${KINDS.map(page).join('\n\n')}
`;
}
