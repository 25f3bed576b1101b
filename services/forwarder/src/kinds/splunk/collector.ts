import { pause } from '@ringfence/base';
import { z } from 'zod';
import { SinkRefusedError, SinkUnavailableError } from '../../errors.ts';
import { readAnswer } from '../../http/answer.ts';
import type { HttpClient } from '../../http/http-client.ts';

/** What the collector says of a request. */
interface Receipt {
  readonly text: string;
  /** 0: received */
  readonly code: number;
  /** Number to ask for with `acknowledged` */
  readonly ackId?: number | undefined;
}

const receipt: z.ZodType<Receipt> = z.object({ text: z.string(), code: z.int(), ackId: z.int().min(0).optional() });
const acknowledgements = z.object({ acks: z.record(z.string(), z.boolean()) });

/** Refusals that the settings cause, not the events, which must not become dead letters for it. */
const MISCONFIGURED: Readonly<Record<number, string>> = {
  7: 'let the token write into this index, or correct `index`',
  10: 'the collector wants a channel: correct `channel`',
  11: 'correct `channel`',
  14: 'the token has no indexer acknowledgement: enable it, or set `ack: false`',
  16: 'correct `token`',
};
const POLL_FIRST_MS = 250;
const POLL_MAX_MS = 5000;

/** The HTTP Event Collector of one sink. */
export class Collector {
  readonly #sink: string;
  readonly #client: HttpClient;
  readonly #timeoutMs: number;

  constructor(sink: string, client: HttpClient, timeoutMs: number) {
    this.#sink = sink;
    this.#client = client;
    this.#timeoutMs = timeoutMs;
  }

  /** Resolves when the collector has received the events. */
  async post(body: string, signal: AbortSignal): Promise<Receipt> {
    const answer = await this.#client.send({ path: '/services/collector/event', body, expected: [400], signal });
    const got = readAnswer(this.#sink, answer, receipt);
    if (got.code === 0) return got;
    const hint = MISCONFIGURED[got.code];
    if (hint === undefined) throw new SinkRefusedError(this.#sink, `${got.text} (code ${got.code})`);
    throw new SinkUnavailableError(this.#sink, `Splunk answered "${got.text}" (code ${got.code}): ${hint}`);
  }

  /** Throws SinkUnavailableError when a receipt lacks the id to ask for. */
  required(ackId: number | undefined): number {
    if (ackId !== undefined) return ackId;
    throw new SinkUnavailableError(this.#sink, `Splunk gave no ackId: ${MISCONFIGURED[14]}`);
  }

  /** Resolves when the indexers have written the events. Splunk forgets an id once it has told that it is written. */
  async acknowledged(ackIds: readonly number[], signal: AbortSignal): Promise<void> {
    const waiting = new Set(ackIds);
    const deadline = performance.now() + this.#timeoutMs;
    for (let wait = POLL_FIRST_MS; waiting.size > 0; wait = Math.min(wait * 2, POLL_MAX_MS)) {
      const answer = await this.#client.send({
        path: '/services/collector/ack',
        body: JSON.stringify({ acks: [...waiting] }),
        // A refused channel is not the events' fault.
        expected: [400],
        signal,
      });
      const { acks } = readAnswer(this.#sink, answer, acknowledgements);
      for (const id of waiting) if (acks[id] === true) waiting.delete(id);
      if (waiting.size === 0) return;
      if (signal.aborted || performance.now() + wait > deadline) {
        const share = `${waiting.size} of ${ackIds.length} requests`;
        throw new SinkUnavailableError(this.#sink, `the indexers have not acknowledged ${share}; check their queues`);
      }
      await pause(wait, signal);
    }
  }
}
