import { createHash } from 'node:crypto';
import type { Ticket } from '../../encode/ticket.ts';
import type { Chat } from '../../tickets/digest.ts';
import { type Change, isNews, newsOf } from '../../tickets/follow.ts';
import type { Addresses, Mailbox } from './mailbox.ts';

/** The subject is kept, because mail programs make a thread of mails with one subject. */
const SUBJECT_MAX_CHARS = 200;

/** Writes a mail when an incident opens, and answers to it when there is news. Ids make doubles recognizable. */
export function mailChat(mailbox: Mailbox, addresses: Addresses): Chat {
  const [, domain = ''] = addresses.from.split('@');
  const idOf = (name: string): string => `<ringfence.${name}@${domain}>`;
  return {
    async open(ticket, change, signal) {
      const subject = `[${ticket.severity}] ${ticket.title}`.slice(0, SUBJECT_MAX_CHARS).toWellFormed();
      const text = textOf(ticket, change);
      await mailbox.send(addresses, { id: idOf(ticket.id), subject, text, thread: '' }, signal);
      return subject;
    },
    async update(subject, ticket, change, signal) {
      if (!isNews(change) && !change.contained) return true;
      const id = idOf(`${ticket.id}.${ticket.version}`);
      const text = textOf(ticket, change);
      await mailbox.send(addresses, { id, subject: `Re: ${subject}`, text, thread: idOf(ticket.id) }, signal);
      return true;
    },
    async digest({ id, title, lines }, signal) {
      const hash = createHash('sha256').update(id).digest('hex').slice(0, 32);
      const mail = { id: idOf(`digest.${hash}`), subject: `Ringfence: ${title}`, text: lines.join('\n\n'), thread: '' };
      await mailbox.send(addresses, mail, signal);
    },
  };
}

function textOf(ticket: Ticket, change: Change): string {
  const { title, facts, story, done, link } = ticket;
  return [
    `${newsOf(ticket, change)}: ${title}`,
    facts.map(([label, value]) => `${label}: ${value}`).join('\n'),
    ...(done.length === 0 ? [] : [['What was done:', ...done].join('\n')]),
    ...(story.length === 0 ? [] : [['What happened (UTC):', ...story].join('\n')]),
    ...(link === '' ? [] : [link]),
  ].join('\n\n');
}
