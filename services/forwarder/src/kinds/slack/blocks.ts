import type { Ticket } from '../../encode/ticket.ts';

const HEADER_MAX_CHARS = 150;
/** Slack takes 3,000 characters in a section, and refuses messages that are too long as a whole. */
const SECTION_MAX_CHARS = 2900;
const MESSAGE_MAX_CHARS = 10_000;
/** An escaped character has at most five. */
const LINE_MAX_CHARS = SECTION_MAX_CHARS / 5;

/** The body of a message, without its channel. */
export interface SlackMessage {
  /** Shown in notifications */
  readonly text: string;
  readonly blocks: readonly unknown[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

/** Slack reads these three characters as the beginnings of mentions, links and entities. */
export const escapeSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export function ticketMessage(news: string, { title, facts, story, done, link }: Ticket): SlackMessage {
  const lines = facts.map(([label, value]) => `${label}: ${value}`);
  return messageOf(`${news}: ${title}`, [lines, done, story], link);
}

/** Returns a message whose groups of lines are code: Slack formats nothing in it. */
export function messageOf(title: string, groups: readonly (readonly string[])[], link = ''): SlackMessage {
  return {
    text: escapeSlack(title),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: escapeSlack(cut(title)), emoji: false } },
      ...sectionsOf(groups),
      ...(link === '' ? [] : [mrkdwn(`<${escapeSlack(link)}|Open the incident>`)]),
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** The limit holds for the escaped text. */
function cut(title: string): string {
  let text = title.slice(0, HEADER_MAX_CHARS);
  while (escapeSlack(text).length > HEADER_MAX_CHARS) text = text.slice(0, -1);
  return text.toWellFormed();
}

/** Lines beyond the length of a message are counted. */
function sectionsOf(groups: readonly (readonly string[])[]): unknown[] {
  const sections: string[][] = [];
  let [size, cut] = [0, 0];
  for (const lines of groups) {
    let length = SECTION_MAX_CHARS;
    for (const line of lines) {
      const text = escapeSlack(line.slice(0, LINE_MAX_CHARS).replaceAll('```', "'''").toWellFormed());
      size += text.length;
      length += text.length + 1;
      if (size > MESSAGE_MAX_CHARS) cut++;
      else if (length > SECTION_MAX_CHARS) {
        sections.push([text]);
        length = text.length;
      } else sections.at(-1)!.push(text);
    }
  }
  if (cut > 0) sections.push([`and ${cut} more lines`]);
  return sections.map((lines) => mrkdwn(['```', ...lines, '```'].join('\n')));
}

const mrkdwn = (text: string): unknown => ({ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } });
