import type { Ticket } from '../../encode/ticket.ts';

/** Teams takes 28 KB in a message. */
const CARD_MAX_BYTES = 25_000;

/** Returns the message with an adaptive card about an incident. */
export function ticketCard(news: string, { title, facts, story, done, link }: Ticket): unknown {
  const rows = facts.map(([label, value]) => rowOf({ text: `${label}: `, weight: 'Bolder' }, { text: value }));
  return fitted(`${news}: ${title}`, rows, [...done, ...story], link);
}

/** Returns the message with an adaptive card of lines. */
export const linesCard = (title: string, lines: readonly string[]): unknown => fitted(title, [], lines, '');

function fitted(title: string, rows: readonly unknown[], lines: readonly string[], link: string): unknown {
  for (let shown = lines.length; ; shown--) {
    const cut = lines.length - shown;
    const kept = cut === 0 ? lines : [...lines.slice(0, shown), `and ${cut} more lines`];
    const message = messageOf(title, [...rows, ...kept.map((text) => rowOf({ text, fontType: 'Monospace' }))], link);
    if (shown === 0 || Buffer.byteLength(JSON.stringify(message)) <= CARD_MAX_BYTES) return message;
  }
}

function messageOf(title: string, body: readonly unknown[], link: string): unknown {
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [rowOf({ text: title, weight: 'Bolder', size: 'Large' }), ...body],
    ...(link === '' ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Open the incident', url: link }] }),
  };
  const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card };
  return { type: 'message', attachments: [attachment] };
}

/** Runs of text, which Teams shows as they are; a TextBlock would be read as Markdown, with links and mentions. */
const rowOf = (...runs: readonly { readonly text: string; readonly [style: string]: string }[]): unknown => ({
  type: 'RichTextBlock',
  spacing: 'Small',
  inlines: runs.map((run) => ({ type: 'TextRun', ...run })),
});
