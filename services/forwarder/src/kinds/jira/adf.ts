import type { Ticket } from '../../encode/ticket.ts';

/** A node of the Atlassian Document Format. Its texts are no markup. */
type Node = Readonly<Record<string, unknown>>;

/** Returns the description of an issue. */
export function describe({ facts, done, story, link }: Ticket): Node {
  return documentOf([
    ...facts.map(([label, value]) => paragraph(strong(`${label}: `), text(value))),
    ...listOf('What was done', done),
    ...listOf('What happened (UTC)', story),
    ...(link === '' ? [] : [paragraph(linkTo(link))]),
  ]);
}

/** Returns a comment of a few lines. */
export const comment = (lines: readonly string[]): Node => documentOf(lines.map((line) => paragraph(text(line))));

const documentOf = (content: readonly Node[]): Node => ({ type: 'doc', version: 1, content });

const listOf = (title: string, lines: readonly string[]): Node[] =>
  lines.length === 0 ? [] : [paragraph(strong(title)), { type: 'codeBlock', content: [text(lines.join('\n'))] }];

const paragraph = (...content: readonly Node[]): Node => ({ type: 'paragraph', content });
const text = (value: string): Node => ({ type: 'text', text: value });
const strong = (value: string): Node => ({ ...text(value), marks: [{ type: 'strong' }] });
const linkTo = (href: string): Node => ({ ...text('Open the incident'), marks: [{ type: 'link', attrs: { href } }] });
